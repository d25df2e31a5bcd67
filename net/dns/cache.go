package dns

import (
	"container/list"
	"time"
)

// A question is a name, as key returns it, and a type.
type question struct {
	name  string
	qtype uint16
}

// A cache keeps answers until they expire, those used last when there are too many. It
// is not safe for concurrent use.
type cache struct {
	maxEntries, maxBytes int

	entries map[question]*list.Element // of *entry
	recent  *list.List                 // the one used last in front
	bytes   int
}

type entry struct {
	question
	answer
	expires time.Time
	size    int
}

func newCache(entries, bytes int) cache {
	return cache{maxEntries: entries, maxBytes: bytes, entries: map[question]*list.Element{}, recent: list.New()}
}

func (c *cache) lookup(q question, now time.Time) (answer, bool) {
	el, ok := c.entries[q]
	if !ok {
		return answer{}, false
	}
	e := el.Value.(*entry)
	if !now.Before(e.expires) {
		c.remove(el)
		return answer{}, false
	}
	c.recent.MoveToFront(el)
	return e.answer, true
}

func (c *cache) add(q question, a answer, now time.Time) {
	if a.ttl <= 0 {
		return
	}
	if old, ok := c.entries[q]; ok {
		c.remove(old)
	}
	e := &entry{q, a, now.Add(a.ttl), a.size()}
	c.entries[q] = c.recent.PushFront(e)
	c.bytes += e.size
	for len(c.entries) > c.maxEntries || c.bytes > c.maxBytes {
		c.remove(c.recent.Back())
	}
}

func (c *cache) remove(el *list.Element) {
	e := c.recent.Remove(el).(*entry)
	delete(c.entries, e.question)
	c.bytes -= e.size
}

func (c *cache) clear() {
	clear(c.entries)
	c.recent.Init()
	c.bytes = 0
}
