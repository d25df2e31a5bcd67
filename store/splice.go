package store

import (
	"cmp"
	"slices"

	"cairn/store/object"
)

// An op puts add (unless it is nil) before the entry at, or in its place when
// drop is set.
type op struct {
	at   int
	drop bool
	add  *object.Entry
}

// splice returns base with entries written over it and its content; an entry
// with mode 0 removes its name. It copies the bytes between the edits instead
// of encoding every entry anew.
func splice(base *node, edits []object.Entry) (*node, []byte) {
	if base == nil {
		base = &node{tidy: true}
	}
	if !base.tidy {
		base = base.tidied()
	}
	ops, grow := base.ops(edits)
	b := splicer{
		base: base,
		raw:  make([]byte, 0, len(base.raw)+grow),
		refs: make([]ref, 0, len(base.refs)+len(edits)),
	}
	for _, o := range ops {
		b.copyTo(o.at)
		if o.drop {
			b.next++
		}
		if o.add != nil {
			b.add(o.add)
		}
	}
	b.copyTo(len(base.refs))
	return &node{raw: string(b.raw), refs: b.refs, tidy: true}, b.raw
}

// ops returns the edits in git's order, and how many bytes they add at most.
func (n *node) ops(edits []object.Entry) (ops []op, grow int) {
	ops = make([]op, 0, len(edits))
	for i := range edits {
		e := &edits[i]
		asFile, file := n.search(e.Name, false)
		asDir, dir := n.search(e.Name, true)
		at, old := asFile, asFile
		if e.Mode == object.ModeDir {
			at = asDir
		}
		if dir {
			old = asDir
		}
		there := file || dir
		switch {
		case e.Mode == 0 && there:
			ops = append(ops, op{old, true, nil})
		case e.Mode == 0:
		case there && at == old && dir == (e.Mode == object.ModeDir):
			ops = append(ops, op{at, true, e})
		default:
			if there {
				ops = append(ops, op{old, true, nil})
			}
			ops = append(ops, op{at, false, e})
		}
		grow += len("100644 \x00") + len(e.Name) + len(e.Hash)
	}
	slices.SortFunc(ops, compareOps)
	return ops, grow
}

func compareOps(a, b op) int {
	if c := cmp.Compare(a.at, b.at); c != 0 {
		return c
	}
	switch {
	case a.drop && b.drop:
		return 0 // cannot be: a name is edited once
	case a.drop:
		return 1
	case b.drop:
		return -1
	}
	return object.CompareNames(a.add.Name, a.add.Mode, b.add.Name, b.add.Mode)
}

type splicer struct {
	base *node
	next int // the first entry of base that is not dealt with
	raw  []byte
	refs []ref
}

func (b *splicer) copyTo(at int) {
	if b.next == at {
		return
	}
	from, to := b.base.start(b.next), b.base.end(at-1)
	shift := len(b.raw) - from
	b.raw = append(b.raw, b.base.raw[from:to]...)
	for _, r := range b.base.refs[b.next:at] {
		b.refs = append(b.refs, ref(r.offset()+shift)<<3|r.kind())
	}
	b.next = at
}

func (b *splicer) add(e *object.Entry) {
	b.raw = object.AppendTree(b.raw, []object.Entry{*e})
	name := len(b.raw) - len(e.Hash) - 1 - len(e.Name)
	b.refs = append(b.refs, ref(name)<<3|kindOf(e.Mode))
}

// tidied is the node as we would write it.
func (n *node) tidied() *node {
	b := splicer{base: n}
	for i := range n.refs {
		e := n.entry(i)
		b.add(&e)
	}
	return &node{raw: string(b.raw), refs: b.refs, tidy: true}
}
