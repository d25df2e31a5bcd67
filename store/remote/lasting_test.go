package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/object"
)

// Of many commits that are pushed together, trees that a later one has replaced are not kept
// here; they come from the host when somebody reads them.
func TestReplacedTrees(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, unaware)
	var objs []object.Object
	var trees []store.Hash
	tip := store.RefChange{Name: "refs/heads/main"}
	for i := range 3 {
		blob := object.Object{Type: object.TypeBlob, Data: fmt.Append(nil, i)}
		entries := []object.Entry{{Name: "a", Mode: object.ModeFile, Hash: blob.Hash()}}
		tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
		if i > 0 {
			tree.Base = trees[i-1]
		}
		trees = append(trees, tree.Hash())
		who := change("").Author
		commit := object.Commit{Tree: tree.Hash(), Author: who, Committer: who, Message: "one\n"}
		if !tip.New.IsZero() {
			commit.Parents = []store.Hash{tip.New}
		}
		o := object.Object{Type: object.TypeCommit, Data: commit.Encode()}
		tip.New = o.Hash()
		objs = append(objs, blob, tree, o)
	}
	if err := r.Commit(soon(t), objs, []store.RefChange{tip}); err != nil {
		t.Fatal(err)
	}
	for i, h := range trees {
		_, _, err := r.Held().Stat(soon(t), h)
		if kept := err == nil; kept != (i == len(trees)-1) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("tree %d: kept %t, %v", i, kept, err)
		}
		if _, err := r.Object(soon(t), h); err != nil {
			t.Errorf("tree %d: %v", i, err)
		}
	}
}
