package shelf

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A cache keeps values up to a number of bytes. It forgets by second chance: what
// was used since the hand last passed stays for another round. Keys are hashes of
// what the values are made from, so nothing in it is ever wrong (but see
// Shelf.latest), and what is forgotten comes back when it is asked for. Safe for concurrent use.
type cache[K comparable, V any] struct {
	max int64

	mu    sync.RWMutex
	items map[K]*item[K, V]
	ring  []*item[K, V]
	hand  int
	bytes int64
}

type item[K comparable, V any] struct {
	key   K
	value V
	cost  int64
	used  atomic.Bool
}

// itemBytes is what an item costs besides its value: the item, its key twice, its
// places in the ring and in the map.
const itemBytes = 176

func newCache[K comparable, V any](max int64) *cache[K, V] {
	return &cache[K, V]{max: max, items: map[K]*item[K, V]{}}
}

func (c *cache[K, V]) get(key K) (value V, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	it, ok := c.items[key]
	if !ok {
		return value, false
	}
	if !it.used.Load() {
		it.used.Store(true)
	}
	return it.value, true
}

// put keeps a value of so many bytes, unless it would take more than half of the
// cache.
func (c *cache[K, V]) put(key K, value V, bytes int64) {
	cost := bytes + itemBytes
	if cost > c.max/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	it, ok := c.items[key]
	if !ok {
		it = &item[K, V]{key: key}
		c.items[key] = it
		c.ring = append(c.ring, it)
	}
	c.bytes += cost - it.cost
	it.value, it.cost = value, cost
	for c.bytes > c.max {
		c.evict()
	}
}

func (c *cache[K, V]) evict() {
	c.hand %= len(c.ring)
	it := c.ring[c.hand]
	if it.used.Swap(false) {
		c.hand++
		return
	}
	// The last comes in its place, and gets its chance: it is the newest.
	last := len(c.ring) - 1
	c.ring[c.hand], c.ring[last] = c.ring[last], nil
	c.ring = c.ring[:last]
	c.hand++
	c.bytes -= it.cost
	delete(c.items, it.key)
}

// drop forgets a value.
func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.ring, func(it *item[K, V]) bool { return it.key == key })
	if i < 0 {
		return
	}
	c.ring[i].used.Store(false)
	c.hand = i
	c.evict()
}

func (c *cache[K, V]) size() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.bytes
}
