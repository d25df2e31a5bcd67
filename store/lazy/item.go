package lazy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// An item is one object as a pack holds it. What is not guarded by memory.mu
// never changes, so that an item that was found can be read without a
// lock, and also when it has been dropped since.
type item struct {
	hash  store.Hash
	typ   object.Type
	lives atomic.Int32 // turns of the queue that it survives
	size  int64        // of the content
	inner int64        // of what data holds, unpacked
	base  *item        // what the delta in data applies to, or nil
	data  []byte       // a zlib stream

	prev, next *item // in memory.queue
	deltas     int32 // items here whose base this is
	pins       int32 // by quarantines that were kept and neither promised nor forgotten
	promised   bool  // it is elsewhere
}

const (
	// itemBytes is what an item costs beside its data and its place in the map.
	itemBytes = 150
	// placeBytes is what a place in the map costs, of which up to half are not used.
	placeBytes = 58

	// Trees and commits survive more turns than blobs: without them blobs are
	// not found, and those above keep them in another form and do not ask.
	treeLives = 3
	blobLives = 1
	mostLives = treeLives + 2
)

func newItem(h store.Hash, e pack.Entry, base *item, size int64) *item {
	it := &item{hash: h, typ: e.Type, size: size, inner: e.Size, base: base, data: e.Data}
	if e.Type != object.TypeBlob {
		it.lives.Store(treeLives)
	}
	return it
}

// cost is what an item takes of the bound: an allocation is up to an eighth
// larger than what was asked for, or a page.
func (it *item) cost() int64 {
	n := int64(cap(it.data))
	return itemBytes + n + min(n/8+8, 8<<10)
}

func (it *item) touch() {
	lives := int32(blobLives)
	if it.typ != object.TypeBlob {
		lives = treeLives
	}
	if it.lives.Load() != lives {
		it.lives.Store(lives)
	}
}

// spend takes a life and says whether there was none left.
func (it *item) spend() bool {
	if it.lives.Load() <= 0 {
		return true
	}
	it.lives.Add(-1)
	return false
}

// orphan says that nobody needs the item and nobody else has it.
func (it *item) orphan() bool { return !it.promised && it.pins == 0 }

func (it *item) unlink() { it.prev.next, it.next.prev = it.next, it.prev }

func (it *item) entry() pack.Entry {
	e := pack.Entry{Type: it.typ, Size: it.inner, Data: it.data}
	if it.base != nil {
		e.Base = it.base.hash
	}
	return e
}

// content unpacks an item, with what its deltas apply to.
func (m *memory) content(it *item, limit int64) ([]byte, error) {
	var chain []*item
	var data []byte
	for data == nil {
		if it.size > limit {
			return nil, store.ErrTooLarge
		}
		if data = m.plain.find(it); data != nil {
			break
		}
		if it.base == nil {
			break
		}
		chain = append(chain, it)
		it = it.base
	}
	if data == nil {
		var err error
		if data, err = m.inflate(it); err != nil {
			return nil, err
		}
		m.plain.add(it, data, len(chain) > 0)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		it = chain[i]
		delta, err := m.inflate(it)
		if err != nil {
			return nil, err
		}
		if data, err = pack.Apply(data, delta, it.size); err != nil {
			return nil, err
		}
		m.plain.add(it, data, i > 0)
	}
	return data, nil
}

func (m *memory) inflate(it *item) ([]byte, error) {
	e := it.entry()
	return e.Inflate(it.inner)
}

// found is an item as store.Objects.
type found struct {
	m *memory
	*item
}

// Object implements store.Objects.
func (f found) Object(_ context.Context, h store.Hash) (object.Object, error) {
	if f.size > store.MaxObject {
		return object.Object{}, fmt.Errorf("object %v of %d bytes: %w", h, f.size, store.ErrTooLarge)
	}
	data, err := f.m.content(f.item, f.m.most())
	if err != nil {
		return object.Object{}, fmt.Errorf("object %v: %w", h, err)
	}
	return object.Object{Type: f.typ, Data: data}, nil
}

// Stat implements store.Objects.
func (f found) Stat(context.Context, store.Hash) (object.Type, int64, error) {
	return f.typ, f.size, nil
}

// Open implements store.Objects.
func (f found) Open(_ context.Context, h store.Hash) (io.ReadCloser, error) {
	if f.base == nil {
		e := f.entry()
		r, err := e.Open()
		if err != nil {
			return nil, fmt.Errorf("object %v: %w", h, err)
		}
		return r, nil
	}
	data, err := f.m.content(f.item, f.m.most())
	if err != nil {
		return nil, fmt.Errorf("object %v: %w", h, err)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// Entry implements store.Packed.
func (f found) Entry(context.Context, store.Hash) (store.Entry, bool, error) {
	return store.Entry(f.entry()), true, nil
}

// most is the largest object that is unpacked in memory as a whole.
func (m *memory) most() int64 { return max(store.MaxObject, m.max/2) }
