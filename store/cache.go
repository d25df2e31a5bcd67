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
	// largeShare is which part of the cache is for values that are too large for a
	// shard: the trees of folders of many thousand entries.
	largeShare = 4
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
	large  shard
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
	c.large.init(bytes / largeShare)
	for i := range c.shards {
		c.shards[i].init((bytes - c.large.max) / shards)
	}
	return c
}

func (s *shard) init(bytes int64) { s.max, s.items = bytes, map[Hash]*item{} }

func (c *cache) get(h Hash) (any, bool) {
	v, ok := c.shards[h[0]%shards].get(h)
	if _, size := v.(int64); ok && !size {
		return v, true
	}
	if large, there := c.large.get(h); there { // perhaps the blob whose size was kept before
		return large, true
	}
	return v, ok
}

func (s *shard) get(h Hash) (any, bool) {
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

// put keeps a value, unless it would take more than half of what is for large ones.
func (c *cache) put(h Hash, value any) {
	cost := itemBytes + sizeOf(value)
	if s := &c.shards[h[0]%shards]; cost <= s.max/2 {
		s.put(h, value, cost)
	} else if cost <= c.large.max/2 {
		c.large.put(h, value, cost)
	}
}

func (s *shard) put(h Hash, value any, cost int64) {
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
		// The last comes in its place, and gets its round: it is the newest.
		last := len(s.ring) - 1
		s.ring[s.hand], s.ring[last] = s.ring[last], nil
		s.ring = s.ring[:last]
		s.hand++
		s.bytes -= it.cost
		delete(s.items, it.key)
	}
}

// bytes is what the cache holds now.
func (c *cache) bytes() (n int64) {
	for i := range c.shards {
		n += c.shards[i].size()
	}
	return n + c.large.size()
}

func (s *shard) size() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bytes
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
