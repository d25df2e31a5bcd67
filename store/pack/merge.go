package pack

import (
	"bytes"
	"context"
	"fmt"
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
// written before; else it becomes a delta on its Base, or on what that is a
// delta of, where that is smaller; else it is written whole, compressed. Chains are
// at most MaxDepth long.
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
	base   []uint32 // of what has been written: 1 + number of the delta base
	depth  []uint8
}

func newMerger(w io.Writer, items []Item) *merger {
	m := &merger{
		w:      NewWriter(w, uint32(len(items)), Default),
		items:  items,
		byHash: make([]uint32, len(items)),
		base:   make([]uint32, len(items)),
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
		if e.Data, err = m.compressed(e); err != nil {
			return err
		}
		return m.copy(i, e, base)
	}
	base, hinted := m.written(it.Base)
	if e.Base.IsZero() && (!hinted || e.Size > maxDelta) {
		stored, err := isStoredEntry(e)
		if err != nil {
			return err
		}
		if !stored {
			return m.copy(i, e, -1)
		}
	}
	t, size, err := it.Pack.Stat(it.Offset)
	if err != nil {
		return err
	}
	if size > maxDelta {
		return m.stream(i, t, size)
	}
	o, err := m.content(i)
	if err != nil {
		return err
	}
	var best candidate
	if hinted {
		if best, err = m.bestDelta(o, base); err != nil {
			return err
		}
	}
	return m.smaller(i, o, e, best)
}

// smaller writes the delta or the whole object.
func (m *merger) smaller(i int, o object.Object, e Entry, best candidate) error {
	whole := e.Data
	switch {
	case best.stream != nil && best.cost() < float64(len(o.Data))/(8*MaxDepth):
		whole = nil // surely longer
	case !e.Base.IsZero() || whole == nil || isStored(whole):
		whole = deflate(nil, o.Data, m.w.level)
	}
	if whole == nil || best.stream != nil && best.cost() < float64(len(whole))/(MaxDepth+1) {
		m.begin(i, entryHeader{size: best.size}, best.base)
		return m.end(i, best.stream)
	}
	m.begin(i, entryHeader{typ: o.Type, size: int64(len(o.Data))}, -1)
	return m.end(i, whole)
}

// isStoredEntry says whether compressing would make a whole object smaller.
func isStoredEntry(e Entry) (bool, error) {
	if e.Data != nil {
		return isStored(e.Data) && len(e.Data) > 2*block, nil
	}
	r, err := e.Reader()
	if err != nil {
		return false, err
	}
	defer r.Close()
	var head [3]byte
	_, err = io.ReadFull(r, head[:])
	return isStored(head[:]), err
}

// compressed returns a delta's stream, compressed when it was Stored and that helps.
func (m *merger) compressed(e Entry) ([]byte, error) {
	if e.Data == nil || !isStored(e.Data) || e.Size < 4*block {
		return e.Data, nil
	}
	in := newInflater(bytes.NewReader(e.Data), 0, int64(len(e.Data)))
	defer in.free()
	delta, err := in.all(e.Size)
	if err != nil {
		return nil, err
	}
	if z := deflate(nil, delta, m.w.level); len(z) < len(e.Data) {
		return z, nil
	}
	return e.Data, nil
}

// copy writes an entry as it lies in its pack.
func (m *merger) copy(i int, e Entry, base int) error {
	m.begin(i, entryHeader{typ: e.Type, size: e.Size}, base)
	if e.Data != nil {
		return m.end(i, e.Data)
	}
	r, err := e.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	return m.w.stream(m.items[i].Hash, func(out io.Writer) error {
		_, err := io.Copy(out, r)
		return err
	})
}

// begin writes the header of an entry, of a delta when base is not negative.
func (m *merger) begin(i int, h entryHeader, base int) {
	if base >= 0 {
		m.base[i] = uint32(base + 1)
		m.depth[i] = m.depth[base] + 1
		h.typ, h.distance = ofsDelta, m.w.offset()-m.w.entries[base].Offset
	}
	m.w.begin(h)
}

func (m *merger) end(i int, stream []byte) error {
	m.w.buf = append(m.w.buf, stream...)
	return m.w.end(m.items[i].Hash)
}

// content reads an object. It is likely to be needed again as a base.
func (m *merger) content(i int) (object.Object, error) {
	it := &m.items[i]
	o, err := it.Pack.Object(it.Offset)
	if err == nil {
		it.Pack.bases.add(it.Pack, it.Offset, o)
	}
	return o, err
}

// stream writes an object whole that is too large for memory.
func (m *merger) stream(i int, t object.Type, size int64) error {
	it := &m.items[i]
	r, err := it.Pack.Open(it.Offset)
	if err != nil {
		return err
	}
	defer r.Close()
	return m.w.Stream(it.Hash, t, size, r)
}
