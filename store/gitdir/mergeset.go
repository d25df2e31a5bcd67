package gitdir

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// A mergeSet is the objects of the packs to be merged, each once, by number in
// the order of hashes. It costs about 70 bytes an object.
type mergeSet struct {
	packs   []*packFile
	objects []mergeObject
	order   []uint32 // numbers in the order in which they are to be written
}

// none is the number of no object.
const none = ^uint32(0)

type mergeObject struct {
	hash   store.Hash
	pack   uint16
	typ    object.Type
	offset int64

	// In the pack where the object lies:
	base   uint32 // what it is a delta on, or none
	top    uint32 // where its chain ends, itself if it is whole
	weight uint32 // of a top: objects whose chain ends there
	height uint8  // of a top: the longest of these chains

	// In the pack to be written:
	hint  uint32 // what it may become a delta on, or none
	depth uint8  // of its chain
	rank  uint8  // see chain.go
	run   uint8

	state  uint8
	walked bool // by mergeWalk
}

// States of an object on its way into the order.
const (
	waiting = iota
	opened  // what it leans on is being written first
	placed
)

// newMergeSet lists the objects of packs that keep wants (nil: all). The packs
// stay in use by the set.
func newMergeSet(ctx context.Context, packs []*packFile, keep func(store.Hash) bool) (*mergeSet, error) {
	s := &mergeSet{packs: packs}
	n := 0
	for _, p := range packs {
		n += p.index.Len()
	}
	s.objects = make([]mergeObject, 0, n)
	for i, p := range packs {
		for h, offset := range p.index.All() {
			if keep != nil && !keep(h) {
				continue
			}
			s.objects = append(s.objects, mergeObject{hash: h, pack: uint16(i), offset: offset, base: none, hint: none, rank: rankWhole})
		}
	}
	slices.SortStableFunc(s.objects, func(a, b mergeObject) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	s.objects = slices.CompactFunc(s.objects, func(a, b mergeObject) bool { return a.hash == b.hash })
	for i := range s.objects {
		s.objects[i].top = uint32(i)
	}
	s.order = make([]uint32, 0, len(s.objects))
	for i := range s.packs {
		if err := s.readPack(ctx, uint16(i)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *mergeSet) find(h store.Hash) (uint32, bool) {
	i, ok := slices.BinarySearchFunc(s.objects, h, func(o mergeObject, h store.Hash) int {
		return bytes.Compare(o.hash[:], h[:])
	})
	return uint32(i), ok
}

// readPack learns types and deltas of a pack's objects. A base lies before
// its deltas in packs that we or git have written; where it does not, the top
// is the base itself, which is near enough.
func (s *mergeSet) readPack(ctx context.Context, which uint16) error {
	p := s.packs[which]
	for h, offset := range p.index.InPackOrder() {
		if err := ctx.Err(); err != nil {
			return err
		}
		i, ok := s.find(h)
		if !ok || s.objects[i].pack != which {
			continue // not wanted, or another pack's copy is taken
		}
		o := &s.objects[i]
		e, err := p.Entry(offset)
		if err != nil {
			return &packError{p.name, err}
		}
		o.typ = e.Type
		if base, ok := s.find(e.Base); ok && e.Base != object.Zero && base != i {
			o.base = base
			o.top = s.objects[base].top
			o.depth = deeper(s.objects[base].depth)
		}
		top := &s.objects[o.top]
		top.weight++
		top.height = max(top.height, o.depth)
	}
	return nil
}

// deeper is the depth of a delta on an object of that depth. Git makes longer chains than we.
func deeper(depth uint8) uint8 { return min(depth, 254) + 1 }

// A packError says which pack cannot be read.
type packError struct {
	name string
	err  error
}

func (e *packError) Error() string { return "in " + e.name + ": " + e.err.Error() }
func (e *packError) Unwrap() error { return e.err }

// content reads an object; nothing when it is too large to look into.
func (s *mergeSet) content(i uint32) ([]byte, error) {
	o := &s.objects[i]
	p := s.packs[o.pack]
	whole, err := p.Object(o.offset)
	if err != nil && !errors.Is(err, pack.ErrTooLarge) {
		return nil, &packError{p.name, err}
	}
	return whole.Data, nil
}

// place puts an object into the order, after what it is a delta on. What would
// be a circle, which two packs together can have, is cut: that object becomes a
// delta on its hint, or whole.
func (s *mergeSet) place(i uint32) {
	var chain []uint32
	for s.objects[i].state == waiting {
		s.objects[i].state = opened
		chain = append(chain, i)
		base := s.objects[i].base
		if base == none {
			break
		}
		if s.objects[base].state == opened {
			s.objects[i].base = none
			break
		}
		i = base
	}
	for _, i := range slices.Backward(chain) {
		s.objects[i].state = placed
		s.order = append(s.order, i)
		s.setDepth(i)
	}
}

func (s *mergeSet) setDepth(i uint32) {
	o := &s.objects[i]
	on := o.base
	if on == none {
		on = o.hint
	}
	o.depth = 0
	if on != none {
		o.depth = deeper(s.objects[on].depth)
	}
}

// placeRest puts what no commit led to at the end, pack by pack.
func (s *mergeSet) placeRest() {
	for _, p := range s.packs {
		for h := range p.index.InPackOrder() {
			if i, ok := s.find(h); ok {
				s.place(i)
			}
		}
	}
}

// items is the order in the terms of pack.Merge.
func (s *mergeSet) items() []pack.Item {
	items := make([]pack.Item, len(s.order))
	for n, i := range s.order {
		o := &s.objects[i]
		items[n] = pack.Item{Hash: o.hash, Pack: s.packs[o.pack].Pack, Offset: o.offset}
		if o.hint != none {
			items[n].Base = s.objects[o.hint].hash
		}
	}
	return items
}
