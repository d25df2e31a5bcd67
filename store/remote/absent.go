package remote

import (
	"sync"
	"time"

	"cairn/store"
)

const (
	// absentFor is how long it is believed that the host does not have an object.
	absentFor = 10 * time.Second
	maxAbsent = 4096
)

// absences are the objects that the host did not have when it was asked last, so that
// whoever asks again and again for one does not make us ask as often.
type absences struct {
	mu   sync.Mutex
	when map[store.Hash]time.Time
}

func (a *absences) add(h store.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.when == nil || len(a.when) >= maxAbsent {
		a.when = map[store.Hash]time.Time{}
	}
	a.when[h] = time.Now()
}

func (a *absences) has(h store.Hash) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	when, ok := a.when[h]
	if ok && time.Since(when) > absentFor {
		delete(a.when, h)
		return false
	}
	return ok
}
