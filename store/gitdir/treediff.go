package gitdir

import (
	"bytes"
	"iter"

	"cairn/store"
	"cairn/store/object"
)

// A rawEntry is an entry of a tree. The name is shared with the tree.
type rawEntry struct {
	name []byte
	hash store.Hash
}

// cutEntry cuts the first entry off a tree. A tree that ends in the middle of
// one has no more.
func cutEntry(tree []byte) (e rawEntry, rest []byte, ok bool) {
	nul := bytes.IndexByte(tree, 0)
	if nul < 0 || len(tree) < nul+1+len(e.hash) {
		return e, nil, false
	}
	_, e.name, _ = bytes.Cut(tree[:nul], []byte(" "))
	copy(e.hash[:], tree[nul+1:])
	return e, tree[nul+1+len(e.hash):], true
}

// cutEqual cuts off the entries that both begin with.
func cutEqual(old, tree []byte) ([]byte, []byte) {
	for {
		n := bytes.IndexByte(tree, 0) + 1 + len(store.Hash{})
		if n <= len(store.Hash{}) || n > len(tree) || n > len(old) || !bytes.Equal(old[:n], tree[:n]) {
			return old, tree
		}
		old, tree = old[n:], tree[n:]
	}
}

// changedEntries yields the hashes of tree's entries that differ from those of old,
// with the hash that old has under the same name, or Zero. Both are in git's
// order; where a file and a folder of similar names stand differently in
// it, Zero may come for a name that old has.
func changedEntries(old, tree []byte) iter.Seq2[store.Hash, store.Hash] {
	return func(yield func(store.Hash, store.Hash) bool) {
		old, tree = cutEqual(old, tree)
		was, restOld, more := cutEntry(old)
		for e, rest, ok := cutEntry(tree); ok; e, rest, ok = cutEntry(rest) {
			for more && bytes.Compare(was.name, e.name) < 0 {
				was, restOld, more = cutEntry(restOld)
			}
			same := object.Zero
			if more && bytes.Equal(was.name, e.name) {
				same = was.hash
			}
			if same == e.hash {
				continue
			}
			if !yield(e.hash, same) || same != object.Zero && bytes.Equal(rest, restOld) {
				return
			}
		}
	}
}
