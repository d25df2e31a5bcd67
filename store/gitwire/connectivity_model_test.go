package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// A world is a random history of random trees with all its objects.
type world struct {
	r       *rand.Rand
	objs    map[store.Hash]object.Object
	commits []store.Hash
	trees   []object.Object
	blobs   []object.Object
}

func newWorld(seed uint64, commits int) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1)), objs: make(map[store.Hash]object.Object)}
	for i := range 6 {
		w.blobs = append(w.blobs, w.add(blob(fmt.Sprint(seed, i))))
	}
	for range commits {
		var parents []store.Hash
		for range w.r.IntN(3) {
			if n := len(w.commits); n > 0 {
				if p := w.commits[max(0, n-1-w.r.IntN(4))]; !slices.Contains(parents, p) {
					parents = append(parents, p)
				}
			}
		}
		// Dates say little about the order.
		c := w.add(commitOf(1000+w.r.IntN(20), w.tree(3).Hash(), parents...))
		w.commits = append(w.commits, c.Hash())
	}
	return w
}

func (w *world) add(o object.Object) object.Object {
	w.objs[o.Hash()] = o
	return o
}

// tree makes a tree, or takes one that was made before.
func (w *world) tree(depth int) object.Object {
	if len(w.trees) > 3 && w.r.IntN(3) == 0 {
		return w.trees[w.r.IntN(len(w.trees))]
	}
	entries := make(map[string]object.Object)
	for i := range 1 + w.r.IntN(3) {
		if depth > 0 && w.r.IntN(2) == 0 {
			entries[fmt.Sprint("d", i)] = w.tree(depth - 1)
		} else {
			entries[fmt.Sprint("f", i)] = w.blobs[w.r.IntN(len(w.blobs))]
		}
	}
	t := w.add(folder(entries))
	w.trees = append(w.trees, t)
	return t
}

// links are what an object names.
func links(o object.Object) []store.Hash {
	var list []store.Hash
	switch o.Type {
	case object.TypeCommit:
		tree, parents, _, _ := commitLinks(o.Data)
		list = append(parents, tree)
	case object.TypeTree:
		eachEntry(o.Data, func(_ object.Mode, _ []byte, h store.Hash) error {
			list = append(list, h)
			return nil
		})
	}
	return list
}

// reachable is all that tips reach, by the plainest of walks. What is not in
// objs is reached but leads nowhere.
func reachable(objs map[store.Hash]object.Object, tips ...store.Hash) map[store.Hash]bool {
	seen := make(map[store.Hash]bool)
	for todo := tips; len(todo) > 0; {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[h] {
			seen[h] = true
			todo = append(todo, links(objs[h])...)
		}
	}
	return seen
}

// Random pushes of random parts of a history are judged as a plain walk judges them.
func TestConnectivityAgainstModel(t *testing.T) {
	ctx := t.Context()
	agreed := map[bool]int{}
	for seed := range uint64(400) {
		w := newWorld(seed, 12)
		seen := w.commits[w.r.IntN(len(w.commits))] // the visible ref
		tip := w.commits[w.r.IntN(len(w.commits))]
		visible := reachable(w.objs, seen)

		// The repository holds all; the pack what is new, mostly.
		var all []object.Object
		packed := make(map[store.Hash]object.Object)
		drop := w.r.IntN(2) == 0
		for h, o := range w.objs {
			all = append(all, o)
			if !visible[h] && !(drop && w.r.IntN(12) == 0) || w.r.IntN(10) == 0 {
				packed[h] = o
			}
		}
		b := newMemory(t)
		if err := b.Commit(ctx, all, []store.RefChange{{Name: "refs/heads/x", New: seen}}); err != nil {
			t.Fatal(err)
		}
		q := receivePack(t, b, packed)

		// What is reached by way of the pack ends at visible objects.
		want := true
		for h := range reachable(packed, tip) {
			if _, ok := packed[h]; !ok && !visible[h] {
				want = false
			}
		}
		r := newReach(newGraph(b), []store.Ref{{Name: "x", Hash: seen}})
		err := newConnectivity(q, b, r, nil).check(ctx, tip)
		if err != nil && err != errMissing {
			t.Fatal(err)
		}
		if got := err == nil; got != want {
			t.Fatalf("seed %d: got connected %t, want %t", seed, got, want)
		}
		agreed[want]++
	}
	if agreed[true] < 50 || agreed[false] < 50 {
		t.Errorf("cases: got %d connected and %d not, want some of each", agreed[true], agreed[false])
	}
}

func receivePack(t testing.TB, b store.Receiver, objs map[store.Hash]object.Object) store.Quarantine {
	t.Helper()
	var list []object.Object
	for _, o := range objs {
		list = append(list, o)
	}
	q, err := b.Receive(t.Context(), bytes.NewReader(packOf(t, list...)), nil, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Discard)
	return q
}

// Whether one commit descends from another is judged as a plain walk judges
// it, whatever the dates say.
func TestDescendsAgainstModel(t *testing.T) {
	ctx := t.Context()
	for seed := range uint64(60) {
		w := newWorld(seed, 14)
		b := &mapObjects{objs: w.objs}
		for _, next := range w.commits {
			ancestors := reachable(w.objs, next)
			for _, old := range w.commits {
				got, err := descends(ctx, b, next, old)
				if err != nil {
					t.Fatal(err)
				}
				if want := ancestors[old]; got != want {
					t.Fatalf("seed %d: %s descends from %s: got %t, want %t", seed, next, old, got, want)
				}
			}
		}
	}
}

// A push onto a long history does not walk it.
func TestDescendsCost(t *testing.T) {
	b := &mapObjects{objs: make(map[store.Hash]object.Object)}
	tree := folder(nil)
	b.objs[tree.Hash()] = tree
	var line []store.Hash
	for i := range 5000 {
		var parents []store.Hash
		if i > 0 {
			parents = line[i-1:]
		}
		c := commitOf(1000+i, tree.Hash(), parents...)
		b.objs[c.Hash()] = c
		line = append(line, c.Hash())
	}
	rewritten := commitOf(7000, tree.Hash(), line[4990])
	b.objs[rewritten.Hash()] = rewritten
	for _, test := range []struct {
		next, old store.Hash
		want      bool
	}{
		{line[4999], line[4995], true},
		{line[4995], line[4999], false},
		{rewritten.Hash(), line[4999], false},
	} {
		b.reads = 0
		got, err := descends(t.Context(), b, test.next, test.old)
		if err != nil || got != test.want {
			t.Errorf("descends: got %t %v, want %t", got, err, test.want)
		}
		if b.reads > 40 {
			t.Errorf("objects read: got %d, want at most 40", b.reads)
		}
	}
}

// mapObjects are objects in a map, with a count of how many were read.
type mapObjects struct {
	store.Objects
	objs  map[store.Hash]object.Object
	reads int
}

func (m *mapObjects) Object(_ context.Context, h store.Hash) (object.Object, error) {
	m.reads++
	o, ok := m.objs[h]
	if !ok {
		return o, fs.ErrNotExist
	}
	return o, nil
}

func (m *mapObjects) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	o, err := m.Object(ctx, h)
	return o.Type, int64(len(o.Data)), err
}

// A push of one commit onto a long history of a wide tree reads about as much
// as the commit changes.
func TestConnectivityCost(t *testing.T) {
	ctx := t.Context()
	b := newMemory(t)
	dirs := make(map[string]object.Object)
	var objs []object.Object
	for i := range 200 {
		files := make(map[string]object.Object)
		for j := range 20 {
			f := blob(fmt.Sprint(i, j))
			files[fmt.Sprint("f", j)] = f
			objs = append(objs, f)
		}
		d := folder(files)
		objs = append(objs, d)
		dirs[fmt.Sprint("d", i)] = d
	}
	root := folder(dirs)
	objs = append(objs, root)
	var tip store.Hash
	for i := range 2000 {
		var parents []store.Hash
		if i > 0 {
			parents = []store.Hash{tip}
		}
		c := commitOf(1000+i, root.Hash(), parents...)
		objs = append(objs, c)
		tip = c.Hash()
	}
	if err := b.Commit(ctx, objs, []store.RefChange{{Name: "refs/heads/x", New: tip}}); err != nil {
		t.Fatal(err)
	}
	file := blob("changed")
	changed := folder(map[string]object.Object{"f1": file, "f2": blob(fmt.Sprint(7, 2))})
	dirs["d7"] = changed
	root = folder(dirs)
	c := commitOf(4000, root.Hash(), tip)
	packed := map[store.Hash]object.Object{file.Hash(): file, changed.Hash(): changed, root.Hash(): root, c.Hash(): c}
	q := receivePack(t, b, packed)
	counting := &countingObjects{Objects: b}
	r := newReach(newGraph(counting), []store.Ref{{Name: "x", Hash: tip}})
	if err := newConnectivity(q, counting, r, nil).check(ctx, c.Hash()); err != nil {
		t.Fatal(err)
	}
	if counting.reads > 8 {
		t.Errorf("objects read from the repository: got %d, want at most 8", counting.reads)
	}
}

type countingObjects struct {
	store.Objects
	reads int
}

func (c *countingObjects) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	c.reads++
	return c.Objects.Object(ctx, h)
}

func (c *countingObjects) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	c.reads++
	return c.Objects.Stat(ctx, h)
}
