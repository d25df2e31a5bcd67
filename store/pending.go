package store

import (
	"sync"
	"sync/atomic"

	"cairn/store/object"
)

// pending holds the objects of updates that have run and are not durable yet,
// so that the next update can stand on them. Nobody else finds a name for them.
// A nil pending is empty.
type pending struct {
	n  atomic.Int64 // how many there are; spares readers the lock
	mu sync.RWMutex
	m  map[Hash]*made
}

// A made is an object that an update has made, parsed if it is a tree.
type made struct {
	object.Object
	node  *node
	users int // updates that made it; guarded by pending.mu
}

func (p *pending) get(h Hash) (*made, bool) {
	if p == nil || p.n.Load() == 0 {
		return nil, false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	m, ok := p.m[h]
	return m, ok
}

func (p *pending) add(objs []newObject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[Hash]*made{}
	}
	for _, o := range objs {
		if m, ok := p.m[o.hash]; ok {
			m.users++
			continue
		}
		p.m[o.hash] = &made{Object: o.Object, node: o.node, users: 1}
	}
	p.n.Store(int64(len(p.m)))
}

func (p *pending) remove(objs []newObject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range objs {
		m := p.m[o.hash]
		if m.users--; m.users == 0 {
			delete(p.m, o.hash)
		}
	}
	p.n.Store(int64(len(p.m)))
}
