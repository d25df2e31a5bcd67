package pack

import (
	"bytes"
	"io"
	"io/fs"
)

// Open streams the content of the object at off. An object that is not a delta
// is never in memory as a whole. The caller closes it.
func (p *Pack) Open(off int64) (io.ReadCloser, error) {
	in, h, err := p.at(off)
	if err != nil {
		return nil, p.wrap(off, err)
	}
	if h.isDelta() {
		in.free()
		o, _, err := p.read(off, maxBase, maxBase)
		if err != nil {
			return nil, p.wrap(off, err)
		}
		return io.NopCloser(bytes.NewReader(o.Data)), nil
	}
	if err := in.start(); err != nil {
		in.free()
		return nil, p.wrap(off, err)
	}
	return &objectReader{pack: p, off: off, in: in, left: h.size}, nil
}

// An objectReader inflates an object and holds it to its declared size.
type objectReader struct {
	pack *Pack // nil for an entry that lies in no pack
	off  int64
	in   *inflater
	left int64
	err  error
}

func (r *objectReader) Read(b []byte) (int, error) {
	if r.err != nil || len(b) == 0 {
		return 0, r.err
	}
	if r.left == 0 {
		if r.err = expectEnd(r.in.z); r.err == nil {
			r.err = io.EOF
		} else {
			r.err = r.wrap(r.err)
		}
		return 0, r.err
	}
	n, err := r.in.z.Read(b[:min(int64(len(b)), r.left)])
	r.left -= int64(n)
	if err != nil && !(err == io.EOF && r.left == 0) {
		r.err = r.wrap(zlibError(err))
	}
	return n, r.err
}

func (r *objectReader) wrap(err error) error {
	if r.pack == nil {
		return err
	}
	return r.pack.wrap(r.off, err)
}

func (r *objectReader) Close() error {
	if r.in != nil {
		r.in.free()
		r.in, r.err = nil, fs.ErrClosed
	}
	return nil
}
