package pack

import (
	"fmt"
	"sync"

	"cairn/store/object"
)

// MaxObject is the largest object, in bytes, that Pack.Object returns.
const MaxObject = 64 << 20

const (
	// maxBase bounds what a delta is applied to or makes: git makes deltas
	// up to core.bigFileThreshold, 512 MiB.
	maxBase = 512 << 20
	// maxChain is longer than any chain that git makes (4095), and
	// ends a circle of REF_DELTAs.
	maxChain = 5000
)

// Object returns the whole object at off. Its Data is shared with the BaseCache:
// nobody changes it. One of more than MaxObject bytes is ErrTooLarge.
func (p *Pack) Object(off int64) (object.Object, error) {
	o, _, err := p.read(off, MaxObject, maxBase)
	if err != nil {
		return o, p.wrap(off, err)
	}
	return o, nil
}

func (p *Pack) wrap(off int64, err error) error {
	return fmt.Errorf("read object at %d of pack: %w", off, err)
}

// read returns an object of at most limit bytes, if no base on the way
// has more than most, and how many bytes were unpacked for it.
func (p *Pack) read(off, limit, most int64) (o object.Object, work int64, err error) {
	if o, ok := p.bases.find(p, off); ok && int64(len(o.Data)) <= limit {
		return o, 0, nil
	}
	in, h, err := p.at(off)
	if err != nil {
		return o, 0, err
	}
	defer in.free()
	if !h.isDelta() {
		if h.size > limit {
			return o, 0, fmt.Errorf("object of %d bytes: %w", h.size, ErrTooLarge)
		}
		data, err := in.all(h.size)
		return object.Object{Type: h.typ, Data: data}, h.size, err
	}
	c := chain{pack: p, most: most}
	defer c.unlock()
	if err := c.walk(off, h); err != nil {
		return o, 0, err
	}
	o, err = c.resolve(limit)
	return o, c.work, err
}

// A chain is the deltas that lead from an object to one that is whole.
type chain struct {
	pack   *Pack
	most   int64   // no base may be larger
	deltas []int64 // offsets, the object's own first
	work   int64   // bytes unpacked
	locked bool

	base   object.Object // what the last delta applies to, if it was cached
	cached bool
	whole  int64 // its offset
}

// large lets one chain at a time have objects beyond MaxObject in memory.
var large sync.Mutex

// admit is asked before anything of this size is unpacked.
func (c *chain) admit(size, most int64) error {
	if size > most {
		return fmt.Errorf("object or base of %d bytes: %w", size, ErrTooLarge)
	}
	if size > MaxObject && !c.locked {
		large.Lock()
		c.locked = true
	}
	c.work += size
	return nil
}

func (c *chain) unlock() {
	if c.locked {
		large.Unlock()
	}
}

// walk follows the chain from the delta at off.
func (c *chain) walk(off int64, h entryHeader) error {
	for h.isDelta() {
		if len(c.deltas) == maxChain {
			return formatError("delta chain is longer than %d", maxChain)
		}
		c.deltas = append(c.deltas, off)
		var err error
		if off, err = c.pack.base(off, h); err != nil {
			return err
		}
		if c.base, c.cached = c.pack.bases.find(c.pack, off); c.cached {
			break
		}
		if h, err = c.pack.header(off); err != nil {
			return err
		}
	}
	c.whole = off
	return nil
}

func (c *chain) resolve(limit int64) (o object.Object, err error) {
	o, at := c.base, c.whole
	if !c.cached {
		if o.Data, o.Type, err = c.inflate(c.whole); err != nil {
			return o, err
		}
	}
	for i := len(c.deltas) - 1; i >= 0; i-- {
		c.pack.bases.add(c.pack, at, o)
		at = c.deltas[i]
		delta, _, err := c.inflate(at)
		if err != nil {
			return o, err
		}
		_, size, _, err := deltaSizes(delta)
		if err != nil {
			return o, err
		}
		most := c.most
		if i == 0 {
			most = limit
		}
		if err := c.admit(size, most); err != nil {
			return o, err
		}
		if o.Data, err = Apply(o.Data, delta, size); err != nil {
			return o, err
		}
	}
	return o, nil
}

// inflate unpacks the stream of the entry at off.
func (c *chain) inflate(off int64) ([]byte, object.Type, error) {
	in, h, err := c.pack.at(off)
	if err != nil {
		return nil, 0, err
	}
	defer in.free()
	if err := c.admit(h.size, c.most); err != nil {
		return nil, 0, err
	}
	data, err := in.all(h.size)
	return data, h.typ, err
}
