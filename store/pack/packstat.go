package pack

import (
	"io"

	"cairn/store/object"
)

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
		h, err := p.header(off)
		if err != nil {
			return 0, err
		}
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
