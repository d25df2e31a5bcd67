package lazy

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"sync"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// A FullError says that what has to be kept does not fit.
type FullError struct {
	Bytes  int64 // the bound
	Folder bool  // of the folder, not of memory
}

func (e *FullError) Error() string {
	if e.Folder {
		return fmt.Sprintf("the objects that have to be kept do not fit into %d MiB of the folder: allow it more", e.Bytes>>20)
	}
	return fmt.Sprintf("the objects that have to be kept do not fit into %d MiB of memory: keep them in a folder, or allow more memory", e.Bytes>>20)
}

// Is makes a FullError a store.ErrTooLarge.
func (e *FullError) Is(target error) bool { return target == store.ErrTooLarge }

// memory is a place of a bounded number of bytes. It forgets by second
// chance: the queue goes round, and what was used since its last turn stays.
type memory struct {
	bound   int64 // for everything, as it was asked for
	max     int64 // of used
	lossy   bool  // what is elsewhere may be dropped
	arrived func(*item)
	plain   *plain

	mu      sync.RWMutex
	items   map[store.Hash]*item
	places  int  // that items has had since it was made: it does not shrink
	queue   item // the ring of items: queue.next has its turn
	used    int64
	orphans int // items that are neither elsewhere nor pinned
}

// newMemory returns a place that takes bytes of the bound.
func newMemory(bytes, bound int64, lossy bool, arrived func(*item)) *memory {
	m := &memory{bound: bound, lossy: lossy, arrived: arrived, items: make(map[store.Hash]*item)}
	m.plain = newPlain(bytes / plainShare)
	m.max = bytes - bytes/plainShare
	m.queue.prev, m.queue.next = &m.queue, &m.queue
	return m
}

// find returns an item that is here.
func (m *memory) find(h store.Hash) (*item, error) {
	m.mu.RLock()
	it := m.items[h]
	m.mu.RUnlock()
	if it == nil {
		return nil, fmt.Errorf("object %v: %w", h, fs.ErrNotExist)
	}
	it.touch()
	return it, nil
}

// Object implements store.Objects.
func (m *memory) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	it, err := m.find(h)
	if err != nil {
		return object.Object{}, err
	}
	return found{m, it}.Object(ctx, h)
}

// Stat implements store.Objects.
func (m *memory) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	it, err := m.find(h)
	if err != nil {
		return 0, 0, err
	}
	return it.typ, it.size, nil
}

// Open implements store.Objects.
func (m *memory) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	it, err := m.find(h)
	if err != nil {
		return nil, err
	}
	return found{m, it}.Open(ctx, h)
}

// Entry implements store.Packed.
func (m *memory) Entry(ctx context.Context, h store.Hash) (store.Entry, bool, error) {
	it, err := m.find(h)
	if err != nil {
		return store.Entry{}, false, err
	}
	return found{m, it}.Entry(ctx, h)
}

// put keeps objects that are elsewhere.
func (m *memory) put(_ context.Context, objs []object.Object) error {
	for _, o := range objs {
		h := o.Hash()
		m.mu.RLock()
		_, ok := m.items[h]
		m.mu.RUnlock()
		if ok {
			continue
		}
		e := pack.NewEntry(o, pack.Fast)
		if err := m.add(newItem(h, e, nil, int64(len(o.Data)))); err != nil {
			return fmt.Errorf("put object %v: %w", h, err)
		}
	}
	return nil
}

// add keeps an item that is elsewhere, unless the object is here.
func (m *memory) add(it *item) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.items[it.hash]; old != nil {
		m.pin(old)
		m.unpin(old, true)
		return nil
	}
	if err := m.makeRoom(it.cost()); err != nil {
		return err
	}
	it.promised = true
	m.link(it)
	return nil
}

// link takes in an item for which there is room. mu is held.
func (m *memory) link(it *item) {
	m.items[it.hash] = it
	m.places = max(m.places, len(m.items))
	m.used += it.cost()
	if it.base != nil {
		it.base.deltas++
	}
	m.enqueue(it)
	m.arrived(it)
}

// drop forgets an item. mu is held.
func (m *memory) drop(it *item) {
	delete(m.items, it.hash)
	m.used -= it.cost()
	if it.base != nil {
		it.base.deltas--
	}
	if it.orphan() {
		m.orphans--
	}
	it.unlink()
	m.plain.forget(it)
}

func (m *memory) enqueue(it *item) {
	it.prev, it.next = m.queue.prev, &m.queue
	it.prev.next, it.next.prev = it, it
}

// makeRoom drops what may go until so many more bytes fit. In the last round of the queue it does
// not matter any more what was used. mu is held.
func (m *memory) makeRoom(n int64) error {
	if n > m.max {
		return &FullError{Bytes: m.bound}
	}
	round := len(m.items)
	for turns := mostLives * round; m.used+m.tableBytes()+n > m.max; turns-- {
		if turns <= 0 || !m.lossy && m.orphans == 0 {
			return &FullError{Bytes: m.bound}
		}
		it := m.queue.next
		if m.mayGo(it) && (it.spend() || turns <= round) {
			m.drop(it)
			m.shrink()
			continue
		}
		it.unlink()
		m.enqueue(it)
	}
	return nil
}

// tableBytes is what the map takes.
func (m *memory) tableBytes() int64 { return int64(m.places) * placeBytes }

// shrink makes the map anew when most of its places are empty. mu is held.
func (m *memory) shrink() {
	if m.places < 1024 || len(m.items) > m.places/2 {
		return
	}
	items := make(map[store.Hash]*item, len(m.items))
	maps.Copy(items, m.items)
	m.items, m.places = items, len(items)
}

// mayGo says whether an item can be had again, or need not be.
func (m *memory) mayGo(it *item) bool {
	return it.deltas == 0 && it.pins == 0 && (m.lossy || !it.promised)
}

// pin keeps an item from being dropped. mu is held.
func (m *memory) pin(it *item) {
	if it.orphan() {
		m.orphans--
	}
	it.pins++
}

// unpin takes a pin back; from then on the item is elsewhere, or as it was. mu is held.
func (m *memory) unpin(it *item, promised bool) {
	it.pins--
	it.promised = it.promised || promised
	if it.orphan() {
		m.orphans++
	}
}

// reserve takes bytes for what is not an item; a negative n gives back.
func (m *memory) reserve(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > 0 {
		if err := m.makeRoom(n); err != nil {
			return err
		}
	}
	m.used += n
	return nil
}
