package lazy

import "fmt"

// ItemBytes is what an object costs beside its compressed content.
const ItemBytes = itemBytes

// Items is how many objects are in memory.
func (s *Store) Items() int {
	m := s.here.(*memory)
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.items)
}

// Verify counts everything anew. The Store has been closed.
func (s *Store) Verify() error {
	m := s.here.(*memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	var used int64
	orphans, deltas, queued := 0, map[*item]int32{}, 0
	for h, it := range m.items {
		if it.hash != h {
			return fmt.Errorf("item %v is at %v", it.hash, h)
		}
		used += it.cost()
		if it.orphan() {
			orphans++
		}
		if it.base != nil {
			deltas[it.base]++
			if m.items[it.base.hash] != it.base {
				return fmt.Errorf("the base of %v has been dropped", h)
			}
		}
	}
	for it := m.queue.next; it != &m.queue; it = it.next {
		queued++
		if m.items[it.hash] != it || it.deltas != deltas[it] {
			return fmt.Errorf("item %v is queued and is not in the map, or has %d deltas instead of %d", it.hash, it.deltas, deltas[it])
		}
	}
	if used != m.used || used+m.tableBytes() > m.max || orphans != m.orphans || queued != len(m.items) {
		return fmt.Errorf("used %d of %d, counted %d; orphans %d, counted %d; queued %d of %d",
			m.used, m.max, used, m.orphans, orphans, queued, len(m.items))
	}
	if s.misses.running != 0 || len(s.misses.flights) != 0 || len(s.misses.queue) != 0 {
		return fmt.Errorf("%d requests run, %d flights, %d queued", s.misses.running, len(s.misses.flights), len(s.misses.queue))
	}
	return nil
}

// Waiting is how many wait for what they have missed.
func (s *Store) Waiting() (n int) {
	s.misses.mu.Lock()
	defer s.misses.mu.Unlock()
	for _, f := range s.misses.flights {
		n += f.waiters
	}
	return n
}
