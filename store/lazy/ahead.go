package lazy

import (
	"context"
	"encoding/binary"
	"sync"

	"cairn/store"
)

const (
	// aheadFirst is how many objects a miss brings along that nobody has read
	// before; the number doubles while somebody reads on.
	aheadFirst = 16
	// aheadBytes bounds what a miss brings along, unpacked, as far as the sizes of
	// what was missed before let it be known.
	aheadBytes = 4 << 20
	// aheadGuess is how large a blob is taken to be at first.
	aheadGuess = 16 << 10
	// aheadSeeds is for how many objects of one request the neighbours are looked up.
	aheadSeeds = 16
	// aheadNear is within how many bytes of a tree behind what came last one reads on.
	aheadNear = 4 << 10

	// aheadShare is which part of Options.Bytes the table may take.
	aheadShare   = 16
	slotBytes    = 8
	noteBytes    = 128 // of one noted tree, with its place in a map
	slotsPerNote = 16
)

// ahead knows in which tree an object was named last. Whoever reads an object has
// read the tree that names it, so the trees that are read are noted: a slot for
// each entry, which a later one may take. What is found there is a guess; the tree
// itself proves it.
type ahead struct {
	here  func() place
	limit int64 // of what a miss brings along, in bytes

	mu    sync.Mutex
	slots []slot
	notes []note // a ring
	last  int    // the note made last
	known map[store.Hash]int
	size  int64 // of a blob, as a moving average

	most  int64      // how large a tree may be that is held
	large store.Hash // the large tree that was noted or looked into last
	data  []byte     // and its content
}

// A slot is four bytes of an object's name, of which others chose the slot, and the number of
// a note plus 1.
type slot struct{ name, note uint32 }

// A note is a tree that was read.
type note struct {
	tree store.Hash
	next int // where in it the entry begins that comes after what was brought last
	many int // how many that were
}

func (a *ahead) init(bytes int64, here func() place, hold bool) {
	n := bytes / aheadShare / (slotBytes + noteBytes/slotsPerNote)
	a.here, a.limit, a.size = here, min(aheadBytes, bytes/16), aheadGuess
	a.slots = make([]slot, n)
	a.notes = make([]note, max(n/slotsPerNote, 1))
	a.known = make(map[store.Hash]int)
	if hold {
		a.most = bytes / 2
	}
}

// bytes is what the table takes of the bound.
func (a *ahead) bytes() int64 {
	return int64(len(a.slots))*slotBytes + int64(len(a.notes))*noteBytes
}

func (a *ahead) slot(h store.Hash) (*slot, uint32) {
	at := binary.BigEndian.Uint32(h[:]) % uint32(len(a.slots))
	return &a.slots[at], binary.BigEndian.Uint32(h[4:])
}

// note notes a tree that was read, unless it is noted already and others have not
// taken its slots.
func (a *ahead) note(h store.Hash, tree []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hold(h, tree)
	n, ok := a.known[h]
	if ok {
		// Of the entries of one tree the last may take the slots of others.
		var last store.Hash
		if copy(last[:], tree[max(len(tree)-len(last), 0):]); a.names(last, n) {
			return
		}
	} else {
		a.last = (a.last + 1) % len(a.notes)
		n = a.last
		delete(a.known, a.notes[n].tree)
		a.notes[n] = note{tree: h}
		a.known[h] = n
	}
	a.noteFrom(n, tree, 0, len(tree))
}

// noteFrom gives the slots of at most so many entries, from a place in a tree on, to
// a note. mu is held.
func (a *ahead) noteFrom(n int, tree []byte, at, most int) {
	for ; most > 0; most-- {
		e, ok := entryAt(tree, at)
		if !ok {
			return
		}
		s, name := a.slot(e.hash)
		*s = slot{name, uint32(n) + 1}
		at = e.end
	}
}

// names says whether an object's slot holds a note. mu is held.
func (a *ahead) names(h store.Hash, n int) bool {
	s, name := a.slot(h)
	return *s == slot{name, uint32(n) + 1}
}

// A large tree, from largeTree bytes on, is read from a folder once for all misses
// in it. Memory has what was unpacked last at hand anyway.
const largeTree = 64 << 10

// hold keeps a large tree's content at hand. mu is held.
func (a *ahead) hold(h store.Hash, tree []byte) {
	if len(tree) >= largeTree && int64(len(tree)) <= a.most {
		a.large, a.data = h, tree
	}
}

// content returns a tree's content if that is here.
func (a *ahead) content(ctx context.Context, tree store.Hash) ([]byte, error) {
	a.mu.Lock()
	held, data := a.large, a.data
	a.mu.Unlock()
	if held == tree {
		return data, nil
	}
	o, err := a.here().Object(ctx, tree)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.hold(tree, o.Data)
	a.mu.Unlock()
	return o.Data, nil
}

// learn takes the size of a blob that was missed.
func (a *ahead) learn(size int64) {
	a.mu.Lock()
	a.size = (3*a.size + size) / 4
	a.mu.Unlock()
}

// beside returns what stands beside these objects and is likely to be missed next, at
// most so many. They may be here already.
func (a *ahead) beside(ctx context.Context, missed []store.Hash, most int) (more []store.Hash) {
	seen := make(map[store.Hash]bool, len(missed))
	for _, h := range missed {
		seen[h] = true
	}
	for _, h := range missed[:min(len(missed), aheadSeeds)] {
		tree, ok := a.treeOf(h)
		if !ok {
			continue
		}
		data, err := a.content(ctx, tree)
		if err != nil { // it is brought along for the next miss
			if !seen[tree] && len(more) < most {
				seen[tree] = true
				more = append(more, tree)
			}
			continue
		}
		for _, h := range a.following(tree, data, h, most-len(more)) {
			if !seen[h] {
				seen[h] = true
				more = append(more, h)
			}
		}
	}
	return more
}

func (a *ahead) treeOf(h store.Hash) (tree store.Hash, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, name := a.slot(h)
	if s.note == 0 || s.name != name {
		return tree, false
	}
	return a.notes[s.note-1].tree, true
}

// following returns the next objects of the same kind behind h in a tree, and then those
// before it.
func (a *ahead) following(tree store.Hash, data []byte, h store.Hash, most int) (more []store.Hash) {
	first, ok := find(data, h)
	if !ok {
		return nil
	}
	most = min(most, a.many(tree, first))
	at := first.end
	for wrapped := false; len(more) < most; {
		if at == len(data) && !wrapped {
			at, wrapped = 0, true
		}
		e, ok := entryAt(data, at)
		if !ok || wrapped && at >= first.end {
			break
		}
		at = e.end
		if e.kind == first.kind {
			more = append(more, e.hash)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if n, ok := a.known[tree]; ok {
		a.notes[n].next = at
		a.noteFrom(n, data, at, maxBatch) // what will be missed next, should others have taken its slots
	}
	return more
}

// many returns how many objects to bring along with an entry of a tree.
func (a *ahead) many(tree store.Hash, e entry) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, ok := a.known[tree]
	if !ok {
		return 0
	}
	note := &a.notes[n]
	if behind := e.end - note.next; note.many > 0 && behind >= 0 && behind < aheadNear {
		note.many = min(2*note.many, maxBatch)
	} else {
		note.many = aheadFirst
	}
	if e.kind == blob {
		return min(note.many, int(a.limit/max(a.size, 1)))
	}
	return note.many
}
