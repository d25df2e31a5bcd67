package mailbox

import (
	"container/list"
	"sync"
)

// A cache keeps values up to a number of bytes and forgets first what was not used for longest. Safe for
// concurrent use.
type cache[K comparable, V any] struct {
	max int64

	mu    sync.Mutex
	items map[K]*list.Element
	order list.List // of *item, the last used first
	bytes int64
}

type item[K comparable, V any] struct {
	key   K
	value V
	cost  int64
}

const itemBytes = 200 // of an item besides its value

func newCache[K comparable, V any](max int64) *cache[K, V] {
	return &cache[K, V]{max: max, items: map[K]*list.Element{}}
}

func (c *cache[K, V]) get(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*item[K, V]).value, true
}

func (c *cache[K, V]) put(key K, value V, cost int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.remove(e)
	}
	it := &item[K, V]{key, value, cost + itemBytes}
	c.items[key] = c.order.PushFront(it)
	c.bytes += it.cost
	for c.bytes > c.max && c.order.Len() > 1 { // the newest stays: it is in use anyway
		c.remove(c.order.Back())
	}
}

func (c *cache[K, V]) remove(e *list.Element) {
	it := e.Value.(*item[K, V])
	c.order.Remove(e)
	delete(c.items, it.key)
	c.bytes -= it.cost
}
