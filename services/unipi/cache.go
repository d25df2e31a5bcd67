package unipi

import (
	"sync"
	"sync/atomic"
)

// A table is a map that keeps the sum of its values' costs, in bytes, within a
// limit. Values that were not read since the last look go first. Safe for
// concurrent use; reads share a lock.
type table[K comparable, V any] struct {
	mu    sync.RWMutex
	items map[K]*slot[V]
	bytes int64
	limit int64
}

type slot[V any] struct {
	value V
	cost  int64
	used  atomic.Bool
}

func (t *table[K, V]) load(key K) (v V, ok bool) {
	t.mu.RLock()
	s := t.items[key]
	t.mu.RUnlock()
	if s == nil {
		return v, false
	}
	if !s.used.Load() {
		s.used.Store(true)
	}
	return s.value, true
}

// store keeps a value unless it alone would fill an eighth of the table.
func (t *table[K, V]) store(key K, v V, cost int64) {
	if cost > t.limit/8 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.items == nil {
		t.items = map[K]*slot[V]{}
	}
	if old := t.items[key]; old != nil {
		t.bytes -= old.cost
	}
	t.items[key] = &slot[V]{value: v, cost: cost}
	t.bytes += cost
	t.evict(key)
}

// charge says that the value under key has grown by n bytes.
func (t *table[K, V]) charge(key K, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.items[key]; s != nil {
		s.cost += n
		t.bytes += n
		t.evict(key)
	}
}

// evict makes room: first what nobody read since the last time, then
// anything but keep. A map's order of iteration is random, which is what
// second chance needs.
func (t *table[K, V]) evict(keep K) {
	for _, all := range []bool{false, true} {
		for k, s := range t.items {
			if t.bytes <= t.limit {
				return
			}
			if k != keep && (all || !s.used.Swap(false)) {
				t.bytes -= s.cost
				delete(t.items, k)
			}
		}
	}
}

// drop forgets the values whose key is one of those.
func (t *table[K, V]) drop(those func(K) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, s := range t.items {
		if those(k) {
			t.bytes -= s.cost
			delete(t.items, k)
		}
	}
}

// A Cache holds what sites have prepared to send. Several sites may share
// one. The zero value is ready and holds up to 128 MiB.
type Cache struct {
	// Bytes bounds the content held, half of it prepared pages and half
	// compressed files, which outlive a push. 0 means 128 MiB.
	Bytes int64

	// Sending bounds larger files, which are in memory while they are being sent. 0 means half of
	// Bytes.
	Sending int64

	once   sync.Once
	routes table[routeKey, *route]
	coded  squeezer
	lend   lender
}

func (c *Cache) init() {
	c.once.Do(func() {
		if c.Bytes <= 0 {
			c.Bytes = 128 << 20
		}
		c.routes.limit = c.Bytes / 2
		c.coded.done.limit = c.Bytes / 2
		if c.Sending <= 0 {
			c.Sending = c.Bytes / 2
		}
		c.lend.limit = c.Sending
		c.lend.piece = min(largePiece, max(c.Bytes/128, largePiece/8))
	})
}
