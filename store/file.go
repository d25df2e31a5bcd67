package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
)

// streamed is the size, in bytes, above which a file is not read into memory
// when it is opened.
const streamed = 1 << 20

// A file is an open blob. Read and Seek are for one goroutine, ReadAt for many.
type file struct {
	info    *fileInfo
	content interface {
		io.ReaderAt
		io.Closer
	}
	size   int64
	pos    int64
	closed bool
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, f.check("stat") }

func (f *file) check(op string) error {
	if f.closed {
		return f.wrap(op, fs.ErrClosed)
	}
	return nil
}

func (f *file) wrap(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.info.Name(), Err: err}
}

func (f *file) Read(p []byte) (int, error) {
	if err := f.check("read"); err != nil {
		return 0, err
	}
	if f.pos >= f.size {
		return 0, io.EOF
	}
	n, err := f.ReadAt(p[:min(int64(len(p)), f.size-f.pos)], f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.check("read"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.wrap("read", fs.ErrInvalid)
	}
	n := 0
	if off < f.size {
		var err error
		want := p[:min(int64(len(p)), f.size-off)]
		if n, err = f.content.ReadAt(want, off); n < len(want) {
			return n, f.wrap("read", err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if err := f.check("seek"); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, f.wrap("seek", fs.ErrInvalid)
	}
	f.pos = offset
	return offset, nil
}

func (f *file) Close() error {
	if err := f.check("close"); err != nil {
		return err
	}
	f.closed = true
	return f.content.Close()
}

// whole is a content in memory.
type whole []byte

func (w whole) ReadAt(p []byte, off int64) (int, error) { return copy(p, w[off:]), nil }
func (w whole) Close() error                            { return nil }

// A stream is a content that is read as it comes. It goes back by starting
// anew.
type stream struct {
	read *reader
	hash Hash
	size int64

	mu  sync.Mutex
	r   io.ReadCloser
	pos int64
}

func (s *stream) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.seek(off); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, p)
	s.pos += int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (s *stream) seek(off int64) error {
	if s.r != nil && off < s.pos {
		if err := s.close(); err != nil {
			return err
		}
	}
	if s.r == nil {
		r, err := s.read.open(context.Background(), s.hash)
		if err != nil {
			return err
		}
		s.r, s.pos = r, 0
	}
	n, err := io.CopyN(io.Discard, s.r, off-s.pos)
	s.pos += n
	return err
}

func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func (s *stream) close() error {
	if s.r == nil {
		return nil
	}
	r := s.r
	s.r = nil
	return r.Close()
}

// A folder is an open directory.
type folder struct {
	info   *fileInfo
	tree   *Tree
	path   string
	list   []fs.DirEntry
	read   bool
	closed bool
}

func (d *folder) Stat() (fs.FileInfo, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "stat", Path: d.path, Err: fs.ErrClosed}
	}
	return d.info, nil
}

func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a folder")}
}

func (d *folder) Close() error {
	if d.closed {
		return &fs.PathError{Op: "close", Path: d.path, Err: fs.ErrClosed}
	}
	d.closed = true
	return nil
}

// ReadDir implements fs.ReadDirFile.
func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "readdir", Path: d.path, Err: fs.ErrClosed}
	}
	if !d.read {
		list, err := d.tree.ReadDir(d.path)
		if err != nil {
			return nil, err
		}
		d.list, d.read = list, true
	}
	if n <= 0 {
		n = len(d.list)
	} else if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list := d.list[:n:n]
	d.list = d.list[n:]
	return list, nil
}
