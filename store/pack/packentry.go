package pack

import (
	"errors"
	"io"

	"cairn/store/object"
)

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
