package pack

import (
	"bufio"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// A source reads a part of a pack.
type source struct {
	r        io.ReaderAt
	off, end int64 // what has not been read yet
}

func (s *source) Read(p []byte) (int, error) {
	p = p[:min(int64(len(p)), s.end-s.off)]
	if len(p) == 0 {
		return 0, io.EOF
	}
	n, err := s.r.ReadAt(p, s.off)
	s.off += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}

// sourceBytes is how much of a pack is read at a time.
const sourceBytes = 4 << 10

// An inflater is a source, read through a buffer of the kind that zlib reads
// fastest, and the zlib reader over it, to be used again.
type inflater struct {
	*bufio.Reader
	source source
	z      io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{Reader: bufio.NewReaderSize(nil, sourceBytes)}
}}

func newInflater(r io.ReaderAt, off, end int64) *inflater {
	in := inflaters.Get().(*inflater)
	in.source = source{r, off, max(off, end)}
	in.Reset(&in.source)
	return in
}

func (in *inflater) free() {
	in.source.r = nil
	inflaters.Put(in)
}

// start begins to inflate at the source's position.
func (in *inflater) start() error {
	return resetZlib(&in.z, in.Reader)
}

func resetZlib(z *io.ReadCloser, r io.Reader) (err error) {
	if *z == nil {
		*z, err = zlib.NewReader(r)
		if err != nil {
			*z = nil
		}
	} else {
		err = (*z).(zlib.Resetter).Reset(r, nil)
	}
	if err != nil {
		return zlibError(err)
	}
	return nil
}

// zlibError makes what is wrong with a stream an ErrFormat, and leaves what is
// wrong with the reader below it.
func zlibError(err error) error {
	switch err {
	case nil:
		return nil
	case io.EOF, io.ErrUnexpectedEOF:
		return formatError("stream ends early")
	case zlib.ErrHeader, zlib.ErrChecksum, zlib.ErrDictionary:
		return formatError("%v", err)
	}
	if corrupt := flate.CorruptInputError(0); errors.As(err, &corrupt) {
		return formatError("%v", err)
	}
	return err
}

// all inflates a stream of exactly size bytes.
func (in *inflater) all(size int64) ([]byte, error) {
	if err := in.start(); err != nil {
		return nil, err
	}
	data, err := inflateGrowing(in.z, nil, size)
	if err != nil {
		return nil, err
	}
	return data, expectEnd(in.z)
}

// inflateAhead is how much is allocated because a size was declared.
const inflateAhead = 1 << 20

// inflateGrowing inflates size bytes into the memory of buf. What it
// allocates grows with what has been inflated. The result is not nil.
func inflateGrowing(z io.Reader, buf []byte, size int64) ([]byte, error) {
	buf = buf[:0]
	for first := true; first || int64(len(buf)) < size; first = false {
		n := len(buf)
		step := min(size-int64(n), int64(max(n, inflateAhead, cap(buf)-n)))
		if int64(n)+step > int64(cap(buf)) {
			buf = append(make([]byte, 0, int64(n)+step), buf...)
		}
		buf = buf[:int64(n)+step]
		if _, err := io.ReadFull(z, buf[n:]); err != nil {
			return nil, zlibError(err)
		}
	}
	return buf, nil
}

// expectEnd wants a stream, checksum included, to end here.
func expectEnd(z io.Reader) error {
	var over [1]byte
	switch n, err := io.ReadFull(z, over[:]); {
	case n > 0:
		return formatError("zlib stream is longer than declared")
	case err != io.EOF:
		return zlibError(err)
	}
	return nil
}
