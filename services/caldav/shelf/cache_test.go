package shelf

import "testing"

// TestCacheLetsIn fills a cache with what nobody wants any more, and then uses
// less than half of what it holds over and over: soon all of that has to be there.
func TestCacheLetsIn(t *testing.T) {
	c := newCache[int, int](1000 * (itemBytes + 10))
	for i := range 2000 {
		c.put(-i-1, i, 10)
	}
	misses := 0
	for round := range 5 {
		misses = 0
		for i := range 400 {
			if v, ok := c.get(i); !ok {
				misses++
				c.put(i, i, 10)
			} else if v != i {
				t.Errorf("%d is %d", i, v)
			}
		}
		if round == 0 && misses != 400 {
			t.Errorf("at first %d were missing, want 400", misses)
		}
	}
	if misses > 0 {
		t.Errorf("in the end %d were missing, want none", misses)
	}
	if got := c.size(); got > c.max || got < c.max/2 {
		t.Errorf("it holds %d bytes of %d", got, c.max)
	}
	c.drop(7)
	if _, ok := c.get(7); ok {
		t.Error("what was dropped is there")
	}
	c.drop(7)
	for i := range 400 {
		if _, ok := c.get(i); !ok && i != 7 {
			t.Errorf("%d is gone", i)
		}
	}
}
