package gitwire

import (
	"crypto/sha1"
	"slices"
	"sync"

	"cairn/store"
)

// A keptSearches keeps searches from one request to the next: a partial clone
// asks for one object after the other, and an object that is not there costs a
// whole search each time. What can be reached from given hashes never changes, so
// a search is good for whoever sees the same tips, however named. The zero value
// is empty; it is safe for concurrent use, and a nil one keeps nothing.
type keptSearches struct {
	mu    sync.Mutex
	reach []*reach // longest unused first
}

// maxKept is how many objects and commits all kept searches may have looked at,
// 50 MB or so.
const maxKept = 1 << 19

// A searchKey tells what a search was made for.
type searchKey struct {
	backend store.Backend
	tips    [sha1.Size]byte // of all hashes in the order of the refs
}

func searchKeyOf(b store.Backend, refs []store.Ref) searchKey {
	h := sha1.New()
	for _, ref := range refs {
		h.Write(ref.Hash[:])
	}
	return searchKey{b, [sha1.Size]byte(h.Sum(nil))}
}

// take returns a search from refs that nobody else uses, a kept one if possible.
func (k *keptSearches) take(b store.Backend, refs []store.Ref) *reach {
	key := searchKeyOf(b, refs)
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		for i, r := range k.reach {
			if r.key == key {
				k.reach = slices.Delete(k.reach, i, i+1)
				return r
			}
		}
	}
	r := newReach(newGraph(b), refs)
	r.key = key
	return r
}

// keep takes a search back, unless it has not begun or is too large.
func (k *keptSearches) keep(r *reach) {
	if k == nil || !r.started || r.size() > maxKept {
		return
	}
	r.g.forget()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reach = slices.DeleteFunc(k.reach, func(old *reach) bool { return old.key == r.key })
	k.reach = append(k.reach, r)
	total := 0
	for i := len(k.reach) - 1; i >= 0; i-- {
		if total += k.reach[i].size(); total > maxKept {
			k.reach = slices.Delete(k.reach, 0, i+1)
			break
		}
	}
}

// size is how many objects and commits a search holds.
func (r *reach) size() int { return len(r.seen) + len(r.g.nodes) }

// forget removes all marks but those of the search itself.
func (g *graph) forget() {
	for i := range g.nodes {
		g.nodes[i].marks &= markReached
	}
}
