package pack

import (
	"fmt"
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

// Object returns the whole object at off. Its Data is shared with the BaseCache:
// nobody changes it. One of more than MaxObject bytes is ErrTooLarge.
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
	if o, ok := p.bases.find(p, off); ok && int64(len(o.Data)) <= limit {
		return o, nil
	}
	in, h, err := p.at(off)
	if err != nil {
		return object.Object{}, err
	}
	defer in.free()
	if !h.isDelta() {
		if h.size > limit {
			return object.Object{}, fmt.Errorf("object of %d bytes: %w", h.size, ErrTooLarge)
		}
		data, err := in.all(h.size)
		return object.Object{Type: h.typ, Data: data}, err
	}
	c := chain{pack: p}
	if err := c.walk(off, h); err != nil {
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
	size   int64   // the largest object or delta on the way, as far as headers say

	base   object.Object // what the last delta applies to, if it was cached
	cached bool
	whole  int64 // its offset
}

// walk follows the chain from the delta at off.
func (c *chain) walk(off int64, h entryHeader) error {
	for {
		if h.size > maxBase {
			return fmt.Errorf("delta base of %d bytes: %w", h.size, ErrTooLarge)
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
		var err error
		if off, err = c.pack.base(off, h); err != nil {
			return err
		}
		if c.base, c.cached = c.pack.bases.find(c.pack, off); c.cached {
			c.whole = off
			return nil
		}
		if h, err = c.pack.header(off); err != nil {
			return err
		}
	}
}

func (c *chain) resolve(limit int64) (object.Object, error) {
	o, at := c.base, c.whole
	if !c.cached {
		in, h, err := c.pack.at(c.whole)
		if err != nil {
			return o, err
		}
		defer in.free()
		o.Type = h.typ
		if o.Data, err = in.all(h.size); err != nil {
			return o, err
		}
	}
	for i := len(c.deltas) - 1; i >= 0; i-- {
		c.pack.bases.add(c.pack, at, o)
		at = c.deltas[i]
		most := int64(maxBase)
		if i == 0 {
			most = limit
		}
		delta, err := c.pack.delta(at)
		if err != nil {
			return o, err
		}
		if o.Data, err = Apply(o.Data, delta, most); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (p *Pack) delta(off int64) ([]byte, error) {
	in, h, err := p.at(off)
	if err != nil {
		return nil, err
	}
	defer in.free()
	return in.all(h.size)
}
