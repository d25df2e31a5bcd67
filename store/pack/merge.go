package pack

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"cairn/store/object"
)

// An Item is one object that Merge writes.
type Item struct {
	Hash   Hash
	Pack   *Pack // one that holds it
	Offset int64 // where

	// Base, when it is not Zero, names an object of the same type, earlier in the
	// order, that this one is probably a small edit of.
	Base Hash
}

// Merge writes the pack that holds items in their order. No hash may be there twice.
// It returns what AppendIndex needs. Reading is in the
// order of items, so one that follows the source packs is quick.
//
// An object that is a delta in its pack stays that delta when the base has been
// written before; else it becomes a delta on its Base, where that saves half; else it is
// written whole, compressed at level Default. Chains are at most MaxDepth long.
func Merge(ctx context.Context, w io.Writer, items []Item) (sum Hash, entries []IndexEntry, err error) {
	m := newMerger(w, items)
	for i := range items {
		if err := ctx.Err(); err != nil {
			return sum, nil, err
		}
		if err := m.item(i); err != nil {
			return sum, nil, fmt.Errorf("merge packs: object %s: %w", items[i].Hash, err)
		}
	}
	return m.w.Close()
}

// A merger is one Merge under way. Objects are known by their number in items.
type merger struct {
	w      *Writer
	items  []Item
	byHash []uint32 // numbers in the order of hashes
	depth  []uint8  // of what has been written
}

func newMerger(w io.Writer, items []Item) *merger {
	m := &merger{
		w:      NewWriter(w, uint32(len(items)), Default),
		items:  items,
		byHash: make([]uint32, len(items)),
		depth:  make([]uint8, len(items)),
	}
	m.w.entries = make([]IndexEntry, 0, len(items))
	for i := range m.byHash {
		m.byHash[i] = uint32(i)
	}
	slices.SortFunc(m.byHash, func(a, b uint32) int {
		return bytes.Compare(items[a].Hash[:], items[b].Hash[:])
	})
	return m
}

// written finds an object that has been written.
func (m *merger) written(h Hash) (i int, ok bool) {
	if h.IsZero() {
		return 0, false
	}
	at, ok := slices.BinarySearchFunc(m.byHash, h, func(i uint32, h Hash) int {
		return bytes.Compare(m.items[i].Hash[:], h[:])
	})
	if !ok {
		return 0, false
	}
	i = int(m.byHash[at])
	return i, i < len(m.w.entries)
}

func (m *merger) item(i int) error {
	it := &m.items[i]
	e, err := it.Pack.Entry(it.Offset)
	if err != nil {
		return err
	}
	if base, ok := m.written(e.Base); ok && m.depth[base] < MaxDepth {
		return m.copy(i, e, base)
	}
	if base, ok := m.written(it.Base); ok && m.depth[base] < MaxDepth && e.Size <= MaxObject {
		if done, err := m.tryDelta(i, base); done || err != nil {
			return err
		}
	}
	if !e.Base.IsZero() || e.Data != nil && isStored(e.Data) && len(e.Data) > 2*block {
		return m.recompress(i)
	}
	return m.copy(i, e, -1)
}

// copy writes an entry as it lies in its pack.
func (m *merger) copy(i int, e Entry, base int) error {
	if base >= 0 {
		m.depth[i] = m.depth[base] + 1
	}
	at := m.begin(entryHeader{typ: e.Type, size: e.Size}, base)
	if e.Data != nil {
		return m.end(i, at, e.Data)
	}
	r, err := e.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	return m.w.stream(m.items[i].Hash, at, func(out io.Writer) error {
		_, err := io.Copy(out, r)
		return err
	})
}

// begin writes the header of an entry, of a delta when base is not negative.
func (m *merger) begin(h entryHeader, base int) (at int64) {
	at = m.w.offset()
	if base >= 0 {
		h.typ, h.distance = ofsDelta, at-m.w.entries[base].Offset
	}
	m.w.begin(h)
	return at
}

func (m *merger) end(i int, at int64, stream []byte) error {
	m.w.buf = append(m.w.buf, stream...)
	return m.w.end(m.items[i].Hash, at, crc32.ChecksumIEEE(m.w.buf[at-m.w.flushed:]))
}

func (m *merger) content(i int) (object.Object, error) {
	it := &m.items[i]
	if o, ok := it.Pack.bases.find(it.Pack, it.Offset); ok {
		return o, nil
	}
	o, err := it.Pack.Object(it.Offset)
	if err == nil {
		it.Pack.bases.add(it.Pack, it.Offset, o)
	}
	return o, err
}

// tryDelta writes object i as a delta, if that is worth it.
func (m *merger) tryDelta(i, base int) (done bool, err error) {
	b, err := m.content(base)
	if err != nil {
		return false, err
	}
	o, err := m.content(i)
	if err != nil {
		return false, err
	}
	delta := Delta(b.Data, o.Data)
	if b.Type != o.Type || len(delta) >= len(o.Data)/2 {
		return false, nil
	}
	m.depth[i] = m.depth[base] + 1
	at := m.begin(entryHeader{size: int64(len(delta))}, base)
	return true, m.end(i, at, deflate(nil, delta, m.w.level))
}

// recompress writes an object whole.
func (m *merger) recompress(i int) error {
	it := &m.items[i]
	t, size, err := it.Pack.Stat(it.Offset)
	if err != nil {
		return err
	}
	if size > MaxObject {
		r, err := it.Pack.Open(it.Offset)
		if err != nil {
			return err
		}
		defer r.Close()
		return m.w.Stream(it.Hash, t, size, r)
	}
	o, err := m.content(i)
	if err != nil {
		return err
	}
	at := m.begin(entryHeader{typ: o.Type, size: int64(len(o.Data))}, -1)
	return m.end(i, at, deflate(nil, o.Data, m.w.level))
}
