package pack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"cairn/store/object"
)

// MaxObject is the largest object, in bytes, that Pack.Object returns.
const MaxObject = 64 << 20

const (
	// maxBase bounds a base or a delta on the way to an object.
	maxBase = 1 << 30
	// maxChain is longer than any chain that git makes (4095), and
	// ends a circle of REF_DELTAs.
	maxChain = 5000
)

// A Pack reads objects from a pack. Offsets come from its Index. It does not close
// what it reads from. Safe for concurrent use.
type Pack struct {
	r     io.ReaderAt
	end   int64 // of the last object
	ix    *Index
	bases *BaseCache

	mu    sync.Mutex
	types []uint8 // of objects by position, 0 while not known
}

// Open opens a pack of size bytes that r reads, with its index.
func Open(r io.ReaderAt, size int64, ix *Index, bases *BaseCache) (*Pack, error) {
	var head [headerSize]byte
	var sum Hash
	if size < headerSize+trailerSize {
		return nil, formatError("%d bytes", size)
	}
	if err := readAt(r, head[:], 0); err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	count, err := parsePackHeader(head[:])
	if err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	if err := readAt(r, sum[:], size-trailerSize); err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	if int(count) != ix.Len() || sum != ix.PackSum() {
		return nil, fmt.Errorf("open pack: %w", formatError("index belongs to another pack"))
	}
	return &Pack{r: r, end: size - trailerSize, ix: ix, bases: bases}, nil
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	return noEOF(err)
}

// Index returns the pack's index.
func (p *Pack) Index() *Index { return p.ix }

// Size returns the length of the pack in bytes.
func (p *Pack) Size() int64 { return p.end + trailerSize }

// at returns an inflater behind the header of the entry at off.
func (p *Pack) at(off int64) (*inflater, entryHeader, error) {
	if off < headerSize || off >= p.end {
		return nil, entryHeader{}, formatError("offset %d is outside of the pack", off)
	}
	in := newInflater(p.r, off, p.end)
	h, err := readEntryHeader(in, off)
	if err != nil {
		in.free()
		return nil, h, noEOF(err)
	}
	return in, h, nil
}

// base returns the offset of the base of the delta at off.
func (p *Pack) base(off int64, h entryHeader) (int64, error) {
	if h.typ == ofsDelta {
		return off - h.distance, nil
	}
	base, ok := p.ix.Find(h.base)
	if !ok {
		return 0, formatError("delta base %s is not in the pack", h.base)
	}
	return base, nil
}

// Object returns the whole object at off; its Data is the caller's. One of
// more than MaxObject bytes is ErrTooLarge.
func (p *Pack) Object(off int64) (object.Object, error) {
	o, err := p.object(off, MaxObject)
	if err != nil {
		return o, p.wrap(off, err)
	}
	return o, nil
}

func (p *Pack) wrap(off int64, err error) error {
	return fmt.Errorf("read object at %d of pack: %w", off, err)
}

// large lets one object beyond MaxObject at a time be in memory.
var large sync.Mutex

func (p *Pack) object(off, limit int64) (object.Object, error) {
	c := chain{pack: p}
	if err := c.walk(off, limit); err != nil {
		return object.Object{}, err
	}
	if c.size > MaxObject {
		large.Lock()
		defer large.Unlock()
	}
	return c.resolve(limit)
}

// A chain is the deltas that lead from an object to one that is whole.
type chain struct {
	pack   *Pack
	deltas []int64 // offsets, the object's own first
	size   int64   // the largest object on the way, as far as headers say

	base   object.Object // when it was cached
	cached bool
	whole  int64 // offset of the object at the end otherwise
}

func (c *chain) walk(off, limit int64) error {
	for {
		if len(c.deltas) > 0 {
			if c.base, c.cached = c.pack.bases.find(c.pack, off); c.cached {
				return nil
			}
		}
		in, h, err := c.pack.at(off)
		if err != nil {
			return err
		}
		in.free()
		if max := maxSize(h, len(c.deltas), limit); h.size > max {
			return ErrTooLarge
		}
		c.size = max(c.size, h.size)
		if !h.isDelta() {
			c.whole = off
			return nil
		}
		if len(c.deltas) == maxChain {
			return formatError("delta chain is longer than %d", maxChain)
		}
		c.deltas = append(c.deltas, off)
		if off, err = c.pack.base(off, h); err != nil {
			return err
		}
	}
}

func maxSize(h entryHeader, depth int, limit int64) int64 {
	if depth == 0 && !h.isDelta() {
		return limit
	}
	return maxBase
}

func (c *chain) resolve(limit int64) (object.Object, error) {
	o, at := c.base, int64(-1)
	if !c.cached {
		in, h, err := c.pack.at(c.whole)
		if err != nil {
			return o, err
		}
		o.Type, at = h.typ, c.whole
		o.Data, err = in.all(h.size)
		in.free()
		if err != nil {
			return o, err
		}
	}
	for i := len(c.deltas) - 1; i >= 0; i-- {
		if at >= 0 {
			c.pack.bases.add(c.pack, at, o)
		}
		max := int64(maxBase)
		if i == 0 {
			max = limit
		}
		delta, err := c.pack.inflate(c.deltas[i])
		if err != nil {
			return o, err
		}
		if o.Data, err = Apply(o.Data, delta, max); err != nil {
			return o, err
		}
		at = c.deltas[i]
	}
	return o, nil
}

func (p *Pack) inflate(off int64) ([]byte, error) {
	in, h, err := p.at(off)
	if err != nil {
		return nil, err
	}
	defer in.free()
	return in.all(h.size)
}

// Stat returns type and size of the object at off. It reads headers only.
func (p *Pack) Stat(off int64) (object.Type, int64, error) {
	in, h, err := p.at(off)
	if err != nil {
		return 0, 0, p.wrap(off, err)
	}
	defer in.free()
	if !h.isDelta() {
		return h.typ, h.size, nil
	}
	size, err := in.targetSize()
	if err != nil {
		return 0, 0, p.wrap(off, err)
	}
	t, err := p.typeOf(off)
	if err != nil {
		return 0, 0, p.wrap(off, err)
	}
	return t, size, nil
}

// targetSize reads the sizes at the beginning of a delta.
func (in *inflater) targetSize() (int64, error) {
	if err := in.start(); err != nil {
		return 0, err
	}
	var head [20]byte
	n, err := io.ReadFull(in.z, head[:])
	if err != nil && err != io.ErrUnexpectedEOF {
		return 0, zlibError(err)
	}
	_, size, _, err := deltaSizes(head[:n])
	return size, err
}

// typeOf finds the type at the end of a chain and remembers it for all of it.
func (p *Pack) typeOf(off int64) (object.Type, error) {
	var seen []int
	for range maxChain {
		i, _, ok := p.ix.atOffset(off, p.end)
		if !ok {
			return 0, formatError("no object at %d", off)
		}
		seen = append(seen, i)
		if t := p.knownType(i); t != 0 {
			p.learnType(seen, t)
			return t, nil
		}
		in, h, err := p.at(off)
		if err != nil {
			return 0, err
		}
		in.free()
		if !h.isDelta() {
			p.learnType(seen, h.typ)
			return h.typ, nil
		}
		if off, err = p.base(off, h); err != nil {
			return 0, err
		}
	}
	return 0, formatError("delta chain is longer than %d", maxChain)
}

func (p *Pack) knownType(i int) object.Type {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.types == nil {
		return 0
	}
	return object.Type(p.types[i])
}

func (p *Pack) learnType(positions []int, t object.Type) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.types == nil {
		p.types = make([]uint8, p.ix.Len())
	}
	for _, i := range positions {
		p.types[i] = uint8(t)
	}
}

// Open streams the content of the object at off. An object that is not a delta
// is never in memory as a whole. The caller closes it.
func (p *Pack) Open(off int64) (io.ReadCloser, error) {
	in, h, err := p.at(off)
	if err != nil {
		return nil, p.wrap(off, err)
	}
	if h.isDelta() {
		in.free()
		o, err := p.object(off, maxBase)
		if err != nil {
			return nil, p.wrap(off, err)
		}
		return &wholeReader{data: o.Data}, nil
	}
	if err := in.start(); err != nil {
		in.free()
		return nil, p.wrap(off, err)
	}
	return &objectReader{pack: p, off: off, in: in, left: h.size}, nil
}

// An objectReader inflates an object and holds it to its declared size.
type objectReader struct {
	pack *Pack
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
			r.err = r.pack.wrap(r.off, r.err)
		}
		return 0, r.err
	}
	n, err := r.in.z.Read(b[:min(int64(len(b)), r.left)])
	r.left -= int64(n)
	if err != nil && !(err == io.EOF && r.left == 0) {
		r.err = r.pack.wrap(r.off, zlibError(err))
	}
	return n, r.err
}

func (r *objectReader) Close() error {
	if r.in != nil {
		r.in.free()
		r.in, r.err = nil, fs.ErrClosed
	}
	return nil
}

type wholeReader struct{ data []byte }

func (r *wholeReader) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.data)
	r.data = r.data[n:]
	return n, nil
}

func (r *wholeReader) Close() error {
	r.data = nil
	return nil
}

// An Entry is an object in the form in which a pack holds it.
type Entry struct {
	Type object.Type // the object's own type, never a delta's
	Size int64       // of the content; of the delta's instructions when Base is set
	Base Hash        // the object that the delta applies to, or Zero
	Data []byte      // the zlib stream; nil when long, read Reader then
	// Reader opens the zlib stream when Data is nil.
	Reader func() (io.ReadCloser, error)
}

// maxData is the longest zlib stream that Pack.Entry reads into memory.
const maxData = 1 << 20

// Entry returns the object at off as it lies in the pack.
func (p *Pack) Entry(off int64) (Entry, error) {
	e, err := p.entry(off)
	if err != nil {
		return e, p.wrap(off, err)
	}
	return e, nil
}

var errNoObject = errors.New("no object begins there")

func (p *Pack) entry(off int64) (Entry, error) {
	_, next, ok := p.ix.atOffset(off, p.end)
	if !ok {
		return Entry{}, errNoObject
	}
	in, h, err := p.at(off)
	if err != nil {
		return Entry{}, err
	}
	defer in.free()
	e := Entry{Type: h.typ, Size: h.size}
	if h.isDelta() {
		base, err := p.base(off, h)
		if err != nil {
			return e, err
		}
		i, _, ok := p.ix.atOffset(base, p.end)
		if !ok {
			return e, formatError("delta base is not in the index")
		}
		e.Base = p.ix.hash(i)
		if e.Type, err = p.typeOf(base); err != nil {
			return e, err
		}
	}
	start := in.position()
	if next-start > maxData {
		e.Reader = func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(p.r, start, next-start)), nil
		}
		return e, nil
	}
	if next <= start {
		return e, formatError("index overlaps")
	}
	e.Data = make([]byte, next-start)
	n := copy(e.Data, in.buf)
	return e, readAt(p.r, e.Data[n:], start+int64(n))
}
