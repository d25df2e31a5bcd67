package pack

import (
	"sync"

	"cairn/store/object"
)

// A BaseCache keeps the objects that deltas were lately applied to, up to a number of
// bytes. One is shared by all packs of a repository. Safe for concurrent use.
type BaseCache struct {
	mu    sync.Mutex
	max   int64
	size  int64
	items map[baseKey]*baseItem
	head  baseItem // the ring of items: head.next is the one used last
}

type baseKey struct {
	pack *Pack
	off  int64
}

type baseItem struct {
	key        baseKey
	object     object.Object
	prev, next *baseItem
}

// itemBytes is about what an item costs beside its data.
const itemBytes = 200

// NewBaseCache returns a cache of at most max bytes.
func NewBaseCache(max int64) *BaseCache {
	c := &BaseCache{max: max, items: make(map[baseKey]*baseItem)}
	c.head.prev, c.head.next = &c.head, &c.head
	return c
}

func (c *BaseCache) find(p *Pack, off int64) (object.Object, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	it, ok := c.items[baseKey{p, off}]
	if !ok {
		return object.Object{}, false
	}
	it.unlink()
	c.pushFront(it)
	return it.object, true
}

// add keeps o unless it is so large that it would push out most others.
func (c *BaseCache) add(p *Pack, off int64, o object.Object) {
	if cost(o) > c.max/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := baseKey{p, off}
	if c.items[key] != nil {
		return
	}
	it := &baseItem{key: key, object: o}
	c.items[key] = it
	c.pushFront(it)
	c.size += cost(o)
	for c.size > c.max {
		c.drop(c.head.prev)
	}
}

// Forget drops what came from p, so that p can be freed.
func (c *BaseCache) Forget(p *Pack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for it := c.head.next; it != &c.head; {
		next := it.next
		if it.key.pack == p {
			c.drop(it)
		}
		it = next
	}
}

func (c *BaseCache) drop(it *baseItem) {
	it.unlink()
	delete(c.items, it.key)
	c.size -= cost(it.object)
}

func (c *BaseCache) pushFront(it *baseItem) {
	it.prev, it.next = &c.head, c.head.next
	it.prev.next, it.next.prev = it, it
}

func (it *baseItem) unlink() {
	it.prev.next, it.next.prev = it.next, it.prev
}

func cost(o object.Object) int64 { return int64(cap(o.Data)) + itemBytes }
