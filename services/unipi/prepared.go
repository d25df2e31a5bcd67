package unipi

import (
	"io"
	"io/fs"
	"net/http"
	"strconv"

	"cairn/store"
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

// A content is the bytes of a file: in memory, or to be brought there when they are
// needed.
type content struct {
	data []byte
	size int64
	open func() (fs.File, error) // nil when data has it all
	hash store.Hash              // of what open opens
	lend *lender
}

// fill makes s of the content the body of p.
func (c content) fill(p *prepared, s span) {
	if c.open == nil {
		p.body = c.data[s.start : s.start+s.length]
		return
	}
	p.size = s.length
	p.stream = func(w io.Writer) error {
		return c.use(s.length, func(from source) error { return from.copySpan(w, s) })
	}
}

// use brings a content of which so many bytes are wanted, for as long as do takes.
func (c content) use(wanted int64, do func(source) error) error {
	if c.open == nil {
		return do(source{data: c.data})
	}
	n, err := c.lend.borrow(c.hash, c.size, wanted, c.open)
	if err != nil {
		return err
	}
	if n != nil {
		defer c.lend.giveBack(c.hash, n)
		return do(source{data: n.data})
	}
	return c.stream(do)
}

// stream is use of a content that stays where it is.
func (c content) stream(do func(source) error) error {
	f, err := c.open()
	if err != nil {
		return err
	}
	defer f.Close()
	from, ok := f.(io.ReadSeeker)
	if !ok {
		return fs.ErrInvalid
	}
	return do(source{from: from, piece: c.lend.piece})
}

// largePiece is how many bytes of a content are in memory that is not there as a whole. Where
// memory is scarce there are fewer.
const largePiece = 128 << 10

// A source is a content in use: its bytes, or from where they come in pieces.
type source struct {
	data  []byte
	from  io.ReadSeeker
	piece int64
}

// copySpan writes one span of it.
func (f source) copySpan(w io.Writer, s span) error {
	if f.from == nil {
		_, err := w.Write(f.data[s.start : s.start+s.length])
		return err
	}
	if _, err := f.from.Seek(s.start, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyBuffer(onlyWriter{w}, io.LimitReader(f.from, s.length), make([]byte, min(s.length, f.piece)))
	return err
}

// onlyWriter hides ReadFrom, so that CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }
