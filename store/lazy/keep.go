package lazy

import (
	"context"
	"fmt"
	"io/fs"

	"cairn/store"
)

// Keep implements store.Quarantine. It takes the pack apart: all of it, or nothing
// when that does not fit.
func (q *quarantine) Keep(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept {
		return nil
	}
	if q.pack == nil {
		return fmt.Errorf("keep pack: %w", fs.ErrClosed)
	}
	if err := q.keepAll(ctx); err != nil {
		q.letGo(false)
		q.clear()
		return fmt.Errorf("keep pack: %w", err)
	}
	q.kept = true
	q.free()
	return nil
}

func (q *quarantine) keepAll(ctx context.Context) error {
	q.pinned = make([]*item, 0, q.received.Len())
	for o := range q.received.Objects() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := q.keepOne(o.Hash, o.Offset, o.Size); err != nil {
			return fmt.Errorf("object %v: %w", o.Hash, err)
		}
		q.spool.free(o.Offset)
	}
	return nil
}

// keepOne makes a pinned item of the entry at offset, and of its base before it.
// That one may lie behind it only where it was named by hash, and chains
// of those are as short as pack.Receive has allowed. A negative size is not known.
func (q *quarantine) keepOne(h store.Hash, offset, size int64) (*item, error) {
	if it := q.pin(h); it != nil {
		return it, nil
	}
	e, err := q.pack.WholeEntry(offset)
	if err != nil {
		return nil, err
	}
	var base *item
	if !e.Base.IsZero() {
		at, ok := q.pack.Index().Find(e.Base)
		if !ok {
			return nil, fmt.Errorf("delta base %v: %w", e.Base, fs.ErrNotExist)
		}
		if base, err = q.keepOne(e.Base, at, -1); err != nil {
			return nil, err
		}
	}
	if size < 0 {
		if size, err = e.ContentSize(); err != nil {
			return nil, err
		}
	}
	return q.add(newItem(h, e, base, size))
}

// pin pins the object if it is here.
func (q *quarantine) pin(h store.Hash) *item {
	q.m.mu.Lock()
	defer q.m.mu.Unlock()
	return q.pinHeld(h)
}

// pinHeld is pin while m.mu is held.
func (q *quarantine) pinHeld(h store.Hash) *item {
	it := q.m.items[h]
	if it != nil {
		q.m.pin(it)
		q.pinned = append(q.pinned, it)
	}
	return it
}

// add takes in an item, pinned, or pins the one that came in meanwhile: both under one
// lock, since two quarantines may hold the same object.
func (q *quarantine) add(it *item) (*item, error) {
	m := q.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := q.pinHeld(it.hash); old != nil {
		return old, nil
	}
	if err := m.makeRoom(it.cost()); err != nil {
		return nil, err
	}
	it.pins = 1
	m.link(it)
	q.pinned = append(q.pinned, it)
	return it, nil
}

// Promise implements Quarantine.
func (q *quarantine) Promise() { q.release(true) }

// Forget implements Quarantine.
func (q *quarantine) Forget() { q.release(false) }

func (q *quarantine) release(promise bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept {
		q.letGo(promise)
	}
}

func (q *quarantine) letGo(promise bool) {
	q.m.mu.Lock()
	defer q.m.mu.Unlock()
	for _, it := range q.pinned {
		q.m.unpin(it, promise)
	}
	q.pinned = nil
}
