package store

import (
	"sync"
	"sync/atomic"

	"cairn/store/object"
)

const (
	// shards is how many parts the cache has, so that readers on different
	// cores seldom meet. A power of two, at most 256.
	shards = 16
	// itemBytes is what an item costs besides its value: the item, its place in
	// the ring and in the map, the value's header.
	itemBytes = 192
)

// A cache keeps parsed trees and commits, blobs and the sizes of blobs, up to a
// number of bytes. It forgets by second chance: what was used since the hand
// last passed stays for another round. Objects are immutable, so nothing in it
// is ever wrong. Safe for concurrent use.
type cache struct {
	shards [shards]shard
}

type shard struct {
	max int64

	mu    sync.RWMutex
	items map[Hash]*item
	ring  []*item
	hand  int
	bytes int64
}

type item struct {
	key   Hash
	value any
	cost  int64
	used  atomic.Bool
}

func newCache(bytes int64) *cache {
	c := &cache{}
	for i := range c.shards {
		c.shards[i].max = bytes / shards
		c.shards[i].items = map[Hash]*item{}
	}
	return c
}

func (c *cache) get(h Hash) (any, bool) {
	s := &c.shards[h[0]%shards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	it, ok := s.items[h]
	if !ok {
		return nil, false
	}
	if !it.used.Load() { // a plain store would move the cache line between cores each time
		it.used.Store(true)
	}
	return it.value, true
}

// put keeps a value, unless it would take more than half of its shard.
func (c *cache) put(h Hash, value any) {
	s := &c.shards[h[0]%shards]
	cost := itemBytes + sizeOf(value)
	if cost > s.max/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if it, ok := s.items[h]; ok {
		s.bytes += cost - it.cost
		it.value, it.cost = value, cost
	} else {
		it = &item{key: h, value: value, cost: cost}
		s.items[h] = it
		s.ring = append(s.ring, it)
		s.bytes += cost
	}
	s.evict()
}

func (s *shard) evict() {
	for s.bytes > s.max {
		s.hand %= len(s.ring)
		it := s.ring[s.hand]
		if it.used.Swap(false) {
			s.hand++
			continue
		}
		last := len(s.ring) - 1
		s.ring[s.hand], s.ring[last] = s.ring[last], nil
		s.ring = s.ring[:last]
		s.bytes -= it.cost
		delete(s.items, it.key)
	}
}

// bytes is what the cache holds now.
func (c *cache) bytes() (n int64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += s.bytes
		s.mu.RUnlock()
	}
	return n
}

func sizeOf(value any) int64 {
	switch v := value.(type) {
	case *node:
		return int64(len(v.raw)) + int64(4*cap(v.refs))
	case []byte:
		return int64(cap(v))
	case *object.Commit:
		return 256 + int64(20*cap(v.Parents)) + int64(len(v.Message)+len(v.GPGSig))
	}
	return 0
}
