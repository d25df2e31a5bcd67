package ical

import "slices"

// maxGone is how many recurrences in a row may have been taken out before a series is
// taken to be over.
const maxGone = 1 << 14

// keys calls yield for every recurrence from first to last, both included, in order
// and once, that has not been taken out.
func (s *series) keys(first, last wall, yield func(date) bool) bool {
	if first > last {
		return true
	}
	heads := s.heads(first, last)
	i, _ := slices.BinarySearchFunc(s.dates, first, func(d date, w wall) int { return compare(d.key, w) })
	for gone := 0; ; {
		next, found := date{key: lastWall + 1}, false
		if i < len(s.dates) && s.dates[i].key <= last {
			next, found = s.dates[i], true
		}
		for j := range heads {
			if heads[j].ok && heads[j].key < next.key {
				next, found = date{key: heads[j].key}, true
			}
		}
		if !found {
			return true
		}
		for i < len(s.dates) && s.dates[i].key == next.key {
			i++
		}
		for j := range heads {
			for heads[j].ok && heads[j].key <= next.key {
				heads[j].key, heads[j].ok = heads[j].c.next()
			}
		}
		switch {
		case s.isGone(next.key):
			if gone++; gone > maxGone {
				return true
			}
		case !yield(next):
			return false
		default:
			gone = 0
		}
	}
}

// A head is a cursor and its value.
type head struct {
	c   *cursor
	key wall
	ok  bool
}

func (s *series) heads(first, last wall) []head {
	if s.rules == nil {
		return nil
	}
	heads := make([]head, len(s.rules))
	for i, r := range s.rules {
		c := r.walk(s.anchor.wall, first, last)
		key, ok := c.next()
		heads[i] = head{c, key, ok}
	}
	return heads
}

func (s *series) isGone(key wall) bool {
	if _, ok := slices.BinarySearch(s.gone, key); ok {
		return true
	}
	if s.goneDays != nil {
		if _, ok := slices.BinarySearch(s.goneDays, int32(key.dayNumber())); ok {
			return true
		}
	}
	return slices.ContainsFunc(s.exrules, func(r *rule) bool {
		_, ok := r.walk(s.anchor.wall, key, key).next()
		return ok
	})
}
