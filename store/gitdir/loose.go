package gitdir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"

	"cairn/store"
	"cairn/store/object"

	"github.com/klauspost/compress/zlib"
)

// A looseReader is the content of a loose object: a file objects/ab/cdef… that
// holds the zlib stream of "<type> <size>\0<content>".
type looseReader struct {
	typ  object.Type
	size int64

	file    *os.File
	inflate io.ReadCloser
	content *bufio.Reader
	left    int64
}

func looseName(h store.Hash) string {
	hex := h.String()
	return path.Join("objects", hex[:2], hex[2:])
}

// openLoose opens a loose object; fs.ErrNotExist if there is none.
func (d *Dir) openLoose(h store.Hash) (*looseReader, error) {
	f, err := os.Open(d.root.path(looseName(h)))
	if err != nil {
		return nil, temporary(err)
	}
	r := &looseReader{file: f}
	if err := r.readHeader(); err != nil {
		r.Close()
		return nil, fmt.Errorf("loose object %s: %w", h, err)
	}
	return r, nil
}

// maxLooseHeader bounds "<type> <size>\0".
const maxLooseHeader = 64

func (r *looseReader) readHeader() (err error) {
	if r.inflate, err = zlib.NewReader(bufio.NewReaderSize(r.file, 8<<10)); err != nil {
		return err
	}
	r.content = bufio.NewReaderSize(r.inflate, 4<<10)
	head, err := r.content.Peek(maxLooseHeader)
	if err != nil && err != io.EOF {
		return err
	}
	head, _, ok := bytes.Cut(head, []byte{0})
	typ, size, ok2 := bytes.Cut(head, []byte(" "))
	if !ok || !ok2 {
		return errors.New("bad header")
	}
	if r.typ, ok = object.ParseType(string(typ)); !ok {
		return fmt.Errorf("bad type %q", typ)
	}
	if r.size, err = strconv.ParseInt(string(size), 10, 64); err != nil || r.size < 0 {
		return fmt.Errorf("bad size %q", size)
	}
	r.left = r.size
	_, err = r.content.Discard(len(head) + 1)
	return err
}

// Read gives the content, no more of it than the header has declared.
func (r *looseReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.content.Read(p)
	if r.left -= int64(n); err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *looseReader) Close() error {
	if r.inflate != nil {
		r.inflate.Close()
	}
	return r.file.Close()
}

// all reads the whole object. What its header declares costs no memory
// until bytes have come for it.
func (r *looseReader) all() (object.Object, error) {
	if r.size > store.MaxObject {
		return object.Object{}, store.ErrTooLarge
	}
	var data bytes.Buffer
	data.Grow(int(min(r.size, 1<<20)))
	if _, err := data.ReadFrom(r); err != nil {
		return object.Object{}, err
	}
	return object.Object{Type: r.typ, Data: data.Bytes()}, nil
}
