package store

import (
	"encoding/binary"
	"testing"
)

// TestCacheLetsIn fills a cache with what nobody wants any more, and then uses
// less than half of what it holds over and over: soon all of that has to be there.
func TestCacheLetsIn(t *testing.T) {
	var c shard
	c.init(1000 * itemBytes)
	name := func(i int) (h Hash) {
		binary.BigEndian.PutUint32(h[:], uint32(i))
		return h
	}
	for i := range 2000 {
		c.put(name(10000+i), nil, itemBytes)
	}
	misses := 0
	for range 5 {
		misses = 0
		for i := range 400 {
			if _, ok := c.get(name(i)); !ok {
				misses++
				c.put(name(i), nil, itemBytes)
			}
		}
	}
	if misses > 0 {
		t.Errorf("in the end %d of 400 were missing, want none", misses)
	}
	if got := c.size(); got > c.max || got < c.max/2 {
		t.Errorf("it holds %d bytes of %d", got, c.max)
	}
}
