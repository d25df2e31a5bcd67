package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// tree checks a tree of the pack and all those of the pack below it. It keeps
// one tree and its sides in memory at a time.
func (c *connectivity) tree(ctx context.Context, w treeWork) error {
	c.trees = append(c.trees[:0], w)
	for len(c.trees) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		w := c.trees[len(c.trees)-1]
		c.trees = c.trees[:len(c.trees)-1]
		if !c.see(w.tree) {
			continue
		}
		if err := c.entries(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// entries checks what one tree names, apart from what is the same in the tree beside
// it: that is there if what the other tree names is.
func (c *connectivity) entries(ctx context.Context, w treeWork) error {
	o, err := c.object(ctx, w.tree)
	if err != nil {
		return fmt.Errorf("read pushed tree: %w", err)
	}
	sides := &treeSides{c: c}
	if err := sides.open(ctx, w.sides); err != nil {
		return err
	}
	var h store.Hash
	for rest := o.Data[sides.same(o.Data):]; len(rest) > 0; rest = rest[sides.same(rest):] {
		mode, name, after, ok := nextEntry(rest, &h)
		if !ok {
			return badRequest("tree %s is malformed", w.tree)
		}
		if err := c.entry(ctx, sides, mode, name, h); err != nil {
			return err
		}
		sides.pass(name, isTree(mode))
		rest = after
	}
	return nil
}

// entry checks one entry of a tree.
func (c *connectivity) entry(ctx context.Context, sides *treeSides, mode object.Mode, name []byte, h store.Hash) error {
	if isSubmodule(mode) {
		return nil
	}
	want := object.TypeBlob
	if isTree(mode) {
		want = object.TypeTree
	}
	k, packed := c.kinds[h]
	switch {
	case packed && !k.is(want):
		return errMissing
	case packed && (want == object.TypeBlob || k&kindSeen != 0):
		return nil
	}
	beside := sides.at(name, want)
	if packed {
		c.trees = append(c.trees, treeWork{tree: h, sides: beside})
		return nil
	}
	for _, side := range beside {
		if side == h {
			return nil
		}
	}
	return c.leave(ctx, h, want)
}

// treeSides reads along in the trees beside the one being checked. Names come in git's
// order; where a tree is not in order, a name may not be found, and is searched
// for instead.
type treeSides struct {
	c       *connectivity
	cursors [maxSides]treeCursor
}

// at returns the entries of this name and type.
func (s *treeSides) at(name []byte, t object.Type) (beside [maxSides]store.Hash) {
	for i := range s.cursors {
		beside[i] = s.cursors[i].seek(name, t == object.TypeTree)
	}
	return beside
}

// pass reads on behind an entry.
func (s *treeSides) pass(name []byte, dir bool) {
	t := &s.cursors[0]
	t.seek(name, dir)
	if t.ok && bytes.Equal(t.name, name) {
		t.next()
	}
}

// same returns how many bytes at the beginning of data are entries that the first tree
// beside has at its place too, and reads on behind them.
func (s *treeSides) same(data []byte) (n int) {
	t := &s.cursors[0]
	for t.ok && bytes.HasPrefix(data[n:], t.raw) {
		n += len(t.raw)
		t.next()
	}
	return n
}

func (s *treeSides) open(ctx context.Context, trees [maxSides]store.Hash) error {
	for i, h := range trees {
		if h.IsZero() || s.c.promised {
			continue
		}
		o, err := s.c.object(ctx, h)
		if err == nil && o.Type == object.TypeCommit {
			tree, _, _, _ := commitLinks(o.Data)
			o, err = s.c.object(ctx, tree)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrTooLarge) {
			continue // the parent it belongs to is refused when its turn comes
		}
		if err != nil {
			return fmt.Errorf("read tree beside: %w", err)
		}
		if o.Type == object.TypeTree {
			s.cursors[i].rest = o.Data
			s.cursors[i].next()
		}
	}
	return nil
}

// A treeCursor reads a tree's entries one after the other, apart from submodules:
// nobody has checked that what they name is there.
type treeCursor struct {
	rest []byte
	ok   bool // there is a current entry:
	raw  []byte
	name []byte
	dir  bool
	hash store.Hash
}

// next goes to the next entry; malformed bytes are the end.
func (t *treeCursor) next() {
	for {
		all := t.rest
		var mode object.Mode
		if mode, t.name, t.rest, t.ok = nextEntry(all, &t.hash); !t.ok || !isSubmodule(mode) {
			t.raw, t.dir = all[:len(all)-len(t.rest)], isTree(mode)
			return
		}
	}
}

// seek goes forward to a name and returns its hash, Zero when it is not there
// or of the other kind.
func (t *treeCursor) seek(name []byte, dir bool) store.Hash {
	for t.ok {
		switch c := compareEntries(t.name, t.dir, name, dir); {
		case c == 0:
			return t.hash
		case c > 0:
			return store.Hash{}
		}
		t.next()
	}
	return store.Hash{}
}

// compareEntries is the order of entries in a tree, as object.CompareNames.
func compareEntries(a []byte, aDir bool, b []byte, bDir bool) int {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	after := func(name []byte, dir bool) int {
		switch {
		case n < len(name):
			return int(name[n])
		case dir:
			return '/'
		}
		return 0
	}
	return after(a, aDir) - after(b, bDir)
}
