package unipi

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"strconv"
)

// A prepared response needs nothing but to be written. It is shared between
// requests and never changes.
type prepared struct {
	status int
	head   head
	size   int64 // of the body, as Content-Length says
	body   []byte
	// stream writes the body when it is not in memory.
	stream func(io.Writer) error

	etag string    // of the representation, empty if it has none
	not  *prepared // the 304 that stands for it, if it may be asked for

	// Where they are worth keeping: the head as HTTP/1 and as HTTP/2 write it.
	block, fields []byte

	// closing asks for the connection to be closed after the response.
	closing bool
}

// write sends p and returns how many bytes of body went out. An error means
// that fewer did than the Content-Length says.
func (p *prepared) write(w http.ResponseWriter, r *http.Request) (int64, error) {
	h := w.Header()
	for i := range p.head {
		h[p.head[i].name] = p.head[i].values
	}
	if p.closing {
		h["Connection"] = closeValue
	}
	if p.status != http.StatusOK || p.size == 0 || r.Method == http.MethodHead {
		w.WriteHeader(p.status)
	}
	if r.Method == http.MethodHead || p.size == 0 {
		return 0, nil
	}
	return p.writeBody(w)
}

func (p *prepared) writeBody(w io.Writer) (int64, error) {
	if p.stream == nil {
		n, err := w.Write(p.body)
		return int64(n), err
	}
	c := &counter{w: w}
	err := p.stream(c)
	if err == nil && c.n < p.size {
		err = io.ErrUnexpectedEOF
	}
	return c.n, err
}

var closeValue = []string{"close"}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// seal sets the Content-Length.
func (p *prepared) seal() *prepared {
	if p.stream == nil {
		p.size = int64(len(p.body))
	}
	if p.status != http.StatusNotModified && p.status != http.StatusNoContent {
		p.head.set("Content-Length", strconv.FormatInt(p.size, 10))
	}
	return p
}

// keep encodes the head for good. Nobody changes it after.
func (p *prepared) keep() *prepared {
	p.block = p.appendHead(nil)
	p.fields = p.appendBlock(nil)
	return p
}

// A content is the bytes of a file: in memory, or to be opened when they are
// needed.
type content struct {
	data []byte
	size int64
	open func() (fs.File, error) // nil when data has it all
}

// fill makes s of the content the body of p.
func (c content) fill(p *prepared, s span) {
	if c.open == nil {
		p.body = c.data[s.start : s.start+s.length]
		return
	}
	p.size = s.length
	p.stream = func(w io.Writer) error { return c.copySpan(w, s) }
}

// copySpan writes one span of a content that is not in memory.
func (c content) copySpan(w io.Writer, s span) error {
	from, err := c.reader()
	if err != nil {
		return err
	}
	defer from.Close()
	return copySpan(w, from, s)
}

// reader opens a content.
func (c content) reader() (io.ReadSeekCloser, error) {
	if c.open == nil {
		return struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(c.data), io.NopCloser(nil)}, nil
	}
	f, err := c.open()
	if err != nil {
		return nil, err
	}
	from, ok := f.(io.ReadSeekCloser)
	if !ok {
		_ = f.Close() // it is of no use
		return nil, fs.ErrInvalid
	}
	return from, nil
}

// copySpan writes one span of what a reader has.
func copySpan(w io.Writer, from io.ReadSeeker, s span) error {
	if _, err := from.Seek(s.start, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyBuffer(onlyWriter{w}, io.LimitReader(from, s.length), make([]byte, min(s.length, 128<<10)))
	return err
}

// onlyWriter hides ReadFrom, so that CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }
