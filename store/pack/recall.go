package pack

import (
	"slices"
	"sync"

	"cairn/store/object"
)

// maxRecalled is how many bytes of trees, commits and tags Receive leaves in memory: what has
// been pushed is looked at at once, and small pushes need not be unpacked again for it.
const maxRecalled = 2 << 20

// recalled are objects that have been unpacked and checked. Safe for concurrent use.
type recalled struct {
	mu    sync.Mutex
	bytes int
	objs  []recalledObject
}

type recalledObject struct {
	rec uint32 // number of the record
	object.Object
}

// add keeps a copy of an object, while there is room.
func (r *recalled) add(rec uint32, t object.Type, data []byte) {
	if t == object.TypeBlob {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes+len(data) > maxRecalled {
		return
	}
	r.bytes += len(data)
	r.objs = append(r.objs, recalledObject{rec, object.Object{Type: t, Data: slices.Clone(data)}})
}

// Recall gives what Receive has left in memory to the cache of p, which is the pack
// opened, and lets go of it.
func (r *Received) Recall(p *Pack) {
	for _, o := range r.recalled {
		p.bases.add(p, r.records[o.rec].off, o.Object)
	}
	r.recalled = nil
}
