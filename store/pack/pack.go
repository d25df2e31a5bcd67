package pack

import (
	"fmt"
	"io"
	"sync"
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

func (p *Pack) header(off int64) (entryHeader, error) {
	in, h, err := p.at(off)
	if err == nil {
		in.free()
	}
	return h, err
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
