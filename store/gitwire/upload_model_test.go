package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zlib"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
	"cairn/store/pack"
)

// seeds are how many random worlds a test looks at.
func seeds() uint64 {
	if long() {
		return 4000
	}
	return 150
}

// closure is all that tips reach when some commits count as having no parents and
// trees are not entered at the given depth or below (0: no root tree).
func (w *world) closure(grafts map[store.Hash]bool, depth int, tips ...store.Hash) map[store.Hash]bool {
	type step struct {
		h  store.Hash
		at int // depth of a tree or blob
	}
	met := make(map[store.Hash]int)
	var todo []step
	for _, h := range tips {
		todo = append(todo, step{h, 0})
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		o := w.objs[s.h]
		if o.Type != object.TypeCommit && s.at >= depth {
			continue
		}
		if at, ok := met[s.h]; ok && at <= s.at {
			continue
		}
		met[s.h] = s.at
		for _, next := range links(o) {
			switch {
			case o.Type == object.TypeTree:
				todo = append(todo, step{next, s.at + 1})
			case w.objs[next].Type == object.TypeCommit:
				if !grafts[s.h] {
					todo = append(todo, step{next, 0})
				}
			default:
				todo = append(todo, step{next, 0})
			}
		}
	}
	all := make(map[store.Hash]bool)
	for h := range met {
		all[h] = true
	}
	return all
}

// some picks up to n commits.
func (w *world) some(n int) []store.Hash {
	var picked []store.Hash
	for range w.r.IntN(n + 1) {
		picked = append(picked, w.commits[w.r.IntN(len(w.commits))])
	}
	return picked
}

// TestSelectionAgainstModel compares what is sent with what plain walks say: all that
// the client lacks, nothing that it did not ask for.
func TestSelectionAgainstModel(t *testing.T) {
	for seed := range seeds() {
		w := newWorld(seed, 14)
		wants, has := append(w.some(2), w.commits[len(w.commits)-1]), w.some(2)
		b := w.backend(t)
		g := newGraph(b)
		grafts, graftNumbers := make(map[store.Hash]bool), make(map[int32]struct{})
		for _, h := range w.some(2) {
			grafts[h] = true
			graftNumbers[g.number(h)] = struct{}{}
		}
		f, depth := filter{}, math.MaxInt
		switch w.r.IntN(4) {
		case 0:
			depth = w.r.IntN(5)
			f = filter{hasDepth: true, treeDepth: depth}
		case 1:
			f = filter{hasLimit: true}
		}
		sel := newSelection(g, f, func(int) {})
		var hasNumbers []int32
		for _, h := range has {
			hasNumbers = append(hasNumbers, g.number(h))
		}
		if err := sel.collect(t.Context(), wanted{hashes: wants, has: hasNumbers, grafts: graftNumbers}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		asked := w.closure(grafts, depth, wants...)
		had := w.closure(grafts, math.MaxInt, has...)
		sent := make(map[store.Hash]bool)
		for _, h := range sel.list {
			if sent[h] || !asked[h] || f.noBlobs() && w.objs[h].Type == object.TypeBlob {
				t.Fatalf("seed %d: sent %s %s, which is not wanted or came twice", seed, w.objs[h].Type, h)
			}
			sent[h] = true
		}
		for h := range asked {
			if !sent[h] && !had[h] && !(f.noBlobs() && w.objs[h].Type == object.TypeBlob) {
				t.Fatalf("seed %d: %s %s is missing", seed, w.objs[h].Type, h)
			}
		}
	}
}

// backend holds all of the world.
func (w *world) backend(t testing.TB) *mem.Backend {
	t.Helper()
	var all []object.Object
	for _, o := range w.objs {
		all = append(all, o)
	}
	b := mem.New()
	if err := b.Commit(t.Context(), all, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestReachAgainstModel asks for random objects in random orders.
func TestReachAgainstModel(t *testing.T) {
	for seed := range seeds() {
		w := newWorld(seed, 14)
		var refs []store.Ref
		tips := w.some(3)
		for i, h := range tips {
			refs = append(refs, store.Ref{Name: fmt.Sprint("refs/heads/", i), Hash: h})
		}
		shown := reachable(w.objs, tips...)
		r := newReach(newGraph(w.backend(t)), refs)
		for h, o := range w.objs {
			ask, kind := r.has, "has"
			if o.Type == object.TypeCommit && w.r.IntN(2) == 0 {
				ask, kind = r.commit, "commit"
			}
			got, err := ask(t.Context(), h)
			if err != nil || got != shown[h] {
				t.Fatalf("seed %d: %s(%s %s): got %v, %v, want %v", seed, kind, o.Type, h, got, err, shown[h])
			}
		}
	}
}

// A knot is a backend whose objects are all deltas of one another, in circles too,
// and whose packs disappear.
type knot struct {
	store.Objects
	w     *world
	bases map[store.Hash]store.Hash
	opens int // of entries that are read as streams; every second one fails
}

func (k *knot) Entry(_ context.Context, h store.Hash) (store.Entry, bool, error) {
	o, ok := k.w.objs[h]
	if !ok {
		return store.Entry{}, false, fs.ErrNotExist
	}
	e := store.Entry{Type: o.Type, Base: k.bases[h]}
	data := o.Data
	if !e.Base.IsZero() {
		data = pack.Delta(k.w.objs[e.Base].Data, data)
	}
	e.Size = int64(len(data))
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	e.Data = b.Bytes()
	if h[0]%4 == 0 {
		e.Data = nil
		e.Reader = func() (io.ReadCloser, error) {
			if k.opens++; k.opens%2 == 1 {
				return nil, fmt.Errorf("the pack is gone: %w", store.ErrTemporary)
			}
			return io.NopCloser(&b), nil
		}
	}
	return e, true, nil
}

// TestPackOfKnots sends packs from a store that is all deltas: the receiver can
// read each, whole or thin.
func TestPackOfKnots(t *testing.T) {
	for seed := range seeds() / 4 {
		w := newWorld(seed, 10)
		k := w.knot(t)
		wants, has := append(w.some(1), w.commits[len(w.commits)-1]), w.some(1)
		g := newGraph(k)
		sel := newSelection(g, filter{}, func(int) {})
		var hasNumbers []int32
		for _, h := range has {
			hasNumbers = append(hasNumbers, g.number(h))
		}
		if err := sel.collect(t.Context(), wanted{hashes: wants, has: hasNumbers}); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		p := newPackSender(k, sel, &out, 100)
		p.thin, p.ofsDelta = seed%2 == 0, seed%3 == 0
		if err := p.send(t.Context()); err != nil {
			t.Fatal(err)
		}
		had := reachable(w.objs, has...)
		q, err := mem.New().Receive(t.Context(), &out, func(_ context.Context, h store.Hash) (object.Object, error) {
			if !p.thin || !had[h] {
				return object.Object{}, fs.ErrNotExist
			}
			return w.objs[h], nil
		}, store.Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, h := range sel.list {
			if o, err := q.Object(t.Context(), h); err != nil || !bytes.Equal(o.Data, w.objs[h].Data) {
				t.Fatalf("seed %d: %s: got %q, %v, want %q", seed, h, o.Data, err, w.objs[h].Data)
			}
		}
		q.Discard()
	}
}

// knot gives most objects a base of their type at random.
func (w *world) knot(t testing.TB) *knot {
	k := &knot{Objects: w.backend(t), w: w, bases: make(map[store.Hash]store.Hash)}
	byType := make(map[object.Type][]store.Hash)
	for h, o := range w.objs {
		byType[o.Type] = append(byType[o.Type], h)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for h, o := range w.objs {
		same := byType[o.Type]
		if b := same[r.IntN(len(same))]; b != h && r.IntN(5) > 0 {
			k.bases[h] = b
		}
	}
	return k
}

// TestDeepTrees sends folders as deep as may be, and refuses deeper ones without
// running out of stack.
func TestDeepTrees(t *testing.T) {
	for _, test := range []struct {
		depth int
		ok    bool
	}{{maxTreeDepth, true}, {maxTreeDepth + 1, false}, {50 * maxTreeDepth, false}} {
		w := &world{objs: make(map[store.Hash]object.Object)}
		o := w.add(blob("at the bottom"))
		for range test.depth + 1 {
			o = w.add(folder(map[string]object.Object{"d": o}))
		}
		c := w.add(commitOf(1, o.Hash()))
		b := w.backend(t)
		sel := newSelection(newGraph(b), filter{}, func(int) {})
		err := sel.collect(t.Context(), wanted{hashes: []store.Hash{c.Hash()}})
		if (err == nil) != test.ok || test.ok && len(sel.list) != len(w.objs) {
			t.Errorf("depth %d: got %d objects, %v, want ok=%v", test.depth, len(sel.list), err, test.ok)
		}
		r := newReach(newGraph(b), []store.Ref{{Hash: c.Hash()}})
		if ok, err := r.has(t.Context(), blob("at the bottom").Hash()); !ok || err != nil {
			t.Errorf("depth %d: reach: got %v, %v", test.depth, ok, err)
		}
	}
}

// TestTreeBomb sends a repository in which one file has more paths than atoms
// in the sun, whole and with filters.
func TestTreeBomb(t *testing.T) {
	w := &world{objs: make(map[store.Hash]object.Object)}
	o := w.add(blob("everywhere"))
	for range 200 {
		o = w.add(folder(map[string]object.Object{"a": o, "b": o, "c": o, "d": o}))
	}
	c := w.add(commitOf(1, o.Hash()))
	b := w.backend(t)
	for _, f := range []filter{{}, {hasLimit: true, blobLimit: 1}, {hasDepth: true, treeDepth: 300}, {only: object.TypeBlob}} {
		sel := newSelection(newGraph(b), f, func(int) {})
		if err := sel.collect(t.Context(), wanted{hashes: []store.Hash{c.Hash()}}); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if ok, err := newReach(newGraph(b), []store.Ref{{Hash: c.Hash()}}).has(t.Context(), store.Hash{1}); ok || err != nil {
		t.Errorf("reach: got %v, %v", ok, err)
	}
}
