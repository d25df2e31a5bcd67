package gitdir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// A fanout makes the objects of one-file updates in a tree of folders.
type fanout struct {
	folders [][]object.Entry
	root    []object.Entry
	tip     store.Hash
	n       int
	random  *rand.Rand
}

func treeOf(entries []object.Entry) object.Object {
	return object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
}

// newFanout makes a tree of folders × files and the objects of its first commit.
func newFanout(folders, files int) (*fanout, []object.Object) {
	f := &fanout{random: rand.New(rand.NewPCG(1, 2))}
	var objs []object.Object
	for i := range folders {
		var folder []object.Entry
		for j := range files {
			blob := object.Object{Type: object.TypeBlob, Data: fmt.Appendf(nil, "file %d of folder %d\n", j, i)}
			objs = append(objs, blob)
			folder = append(folder, object.Entry{Name: fmt.Sprintf("%02d-item.txt", j), Mode: object.ModeFile, Hash: blob.Hash()})
		}
		tree := treeOf(folder)
		objs = append(objs, tree)
		f.folders = append(f.folders, folder)
		f.root = append(f.root, object.Entry{Name: fmt.Sprintf("%02x", i), Mode: object.ModeDir, Hash: tree.Hash()})
	}
	root := treeOf(f.root)
	return f, append(objs, root, f.commit(root.Hash()))
}

func (f *fanout) commit(tree store.Hash) object.Object {
	parent := ""
	if f.tip != object.Zero {
		parent = "parent " + f.tip.String() + "\n"
	}
	when := fmt.Sprint("A Writer <writer@example.org> ", 1700000000+f.n, " +0000\n")
	f.n++
	c := object.Object{Type: object.TypeCommit, Data: []byte("tree " + tree.String() + "\n" + parent + "author " + when + "committer " + when + "\nUpdate a file\n")}
	f.tip = c.Hash()
	return c
}

// update makes the objects of a commit that changes one file.
func (f *fanout) update() []object.Object {
	i := f.random.IntN(len(f.folders))
	folder := f.folders[i]
	blob := object.Object{Type: object.TypeBlob, Data: fmt.Appendf(nil, "update %d\nwith a random number: %x\n", f.n, f.random.Uint64())}
	folder[f.random.IntN(len(folder))].Hash = blob.Hash()
	tree := treeOf(folder)
	tree.Base, f.root[i].Hash = f.root[i].Hash, tree.Hash()
	root := treeOf(f.root)
	return []object.Object{blob, tree, root, f.commit(root.Hash())}
}

// fill makes n updates in commits of batch each.
func (f *fanout) fill(t testing.TB, d *Dir, n, batch int) {
	t.Helper()
	for ; n > 0; n -= batch {
		var objs []object.Object
		old, last := f.tip, object.Zero
		for range min(batch, n) {
			update := f.update()
			root := &update[2]
			root.Base, last = last, root.Hash()
			objs = append(objs, update...)
		}
		if err := d.Commit(context.Background(), objs, []store.RefChange{{Name: "refs/heads/main", Old: old, New: f.tip}}); err != nil {
			t.Fatal(err)
		}
	}
}
