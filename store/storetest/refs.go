package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

var refTests = []test{
	{"CompareAndSwap", testCompareAndSwap},
	{"CreateAndDelete", testCreateAndDelete},
	{"AllOrNone", testAllOrNone},
	{"List", testList},
	{"FileAndFolder", testFileAndFolder},
	{"BadNames", testBadNames},
	{"Many", testMany},
	{"Race", testRace},
	{"Cancelled", testCancelled},
}

func value(t *testing.T, b store.Backend, name string) store.Hash {
	t.Helper()
	ref, err := b.Ref(soon(t), name)
	if errors.Is(err, fs.ErrNotExist) {
		return object.Zero
	}
	if err != nil {
		t.Fatalf("ref %s: %v", name, err)
	}
	if ref.Name != name || ref.Hash == object.Zero {
		t.Errorf("ref %s: got %+v", name, ref)
	}
	return ref.Hash
}

// conflict makes a change that must conflict.
func conflict(t *testing.T, b store.Backend, objs []object.Object, bad store.RefChange, actual store.Hash, changes ...store.RefChange) {
	t.Helper()
	err := b.Commit(soon(t), objs, changes)
	c, ok := errors.AsType[*store.ConflictError](err)
	if !ok {
		t.Errorf("commit %v: got %v, want a conflict", changes, err)
		return
	}
	if c.Change != bad || c.Actual != actual {
		t.Errorf("conflict: got %+v, actual %v, want %+v, actual %v", c.Change, c.Actual, bad, actual)
	}
}

func testCompareAndSwap(t *testing.T, b store.Backend) {
	one := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	at(t, b, "refs/heads/main", one)
	second := commit("file", "2", one)
	two := put(t, b, "refs/heads/main", one, second)
	at(t, b, "refs/heads/main", two)

	third := commit("file", "3", two)
	for _, old := range []store.Hash{one, object.Zero, third[2].Hash()} {
		c := store.RefChange{Name: "refs/heads/main", Old: old, New: third[2].Hash()}
		conflict(t, b, third, c, two, c)
	}
	at(t, b, "refs/heads/main", two)
	put(t, b, "refs/heads/main", two, third)
}

func testCreateAndDelete(t *testing.T, b store.Backend) {
	objs := commit("file", "1")
	h := objs[2].Hash()
	update := store.RefChange{Name: "refs/heads/main", Old: h, New: h}
	conflict(t, b, objs, update, object.Zero, update)
	remove := store.RefChange{Name: "refs/heads/main", Old: h}
	conflict(t, b, nil, remove, object.Zero, remove)

	put(t, b, "refs/heads/main", object.Zero, objs)
	create := store.RefChange{Name: "refs/heads/main", New: h}
	conflict(t, b, nil, create, h, create)
	if err := b.Commit(soon(t), nil, []store.RefChange{remove}); err != nil {
		t.Fatal(err)
	}
	at(t, b, "refs/heads/main", object.Zero)
	if err := b.Commit(soon(t), nil, []store.RefChange{create}); err != nil {
		t.Fatal(err)
	}
	at(t, b, "refs/heads/main", h)
}

func testAllOrNone(t *testing.T, b store.Backend) {
	one := put(t, b, "refs/heads/a", object.Zero, commit("file", "a"))
	put(t, b, "refs/heads/b", object.Zero, commit("file", "b"))
	objs := commit("file", "new")
	h := objs[2].Hash()
	move := store.RefChange{Name: "refs/heads/a", Old: one, New: h}
	bad := store.RefChange{Name: "refs/heads/b", Old: one, New: h}
	create := store.RefChange{Name: "refs/heads/c", New: h}
	actual := value(t, b, "refs/heads/b")
	conflict(t, b, objs, bad, actual, move, bad, create)
	at(t, b, "refs/heads/a", one)
	at(t, b, "refs/heads/b", actual)
	at(t, b, "refs/heads/c", object.Zero)

	bad.Old = actual
	drop := store.RefChange{Name: "refs/heads/b", Old: actual}
	if err := b.Commit(soon(t), objs, []store.RefChange{create, move, drop}); err != nil {
		t.Fatal(err)
	}
	at(t, b, "refs/heads/a", h)
	at(t, b, "refs/heads/b", object.Zero)
	at(t, b, "refs/heads/c", h)
}

func list(t *testing.T, b store.Backend, prefix string) (names []string) {
	t.Helper()
	for ref, err := range b.Refs(soon(t), prefix) {
		if err != nil {
			t.Fatalf("refs %q: %v", prefix, err)
		}
		at(t, b, ref.Name, ref.Hash)
		names = append(names, ref.Name)
	}
	return names
}

func testList(t *testing.T, b store.Backend) {
	if got := list(t, b, "refs/"); len(got) != 0 {
		t.Errorf("refs of an empty repository: got %q", got)
	}
	h := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	want := []string{"refs/heads/a/b", "refs/heads/a-b", "refs/heads/a.b", "refs/heads/A", "refs/tags/v1", "refs/heads/ab/c", "refs/heads/ü"}
	var changes []store.RefChange
	for _, name := range want {
		changes = append(changes, store.RefChange{Name: name, New: h})
	}
	if err := b.Commit(soon(t), nil, changes); err != nil {
		t.Fatal(err)
	}
	want = append(want, "refs/heads/main")
	slices.Sort(want)
	if got := list(t, b, "refs/"); !slices.Equal(got, want) {
		t.Errorf("refs: got %q, want %q", got, want)
	}
	want = []string{"refs/heads/a-b", "refs/heads/a.b", "refs/heads/a/b", "refs/heads/ab/c"}
	if got := list(t, b, "refs/heads/a"); !slices.Equal(got, want) {
		t.Errorf("refs with a prefix: got %q, want %q", got, want)
	}
	for range b.Refs(soon(t), "refs/") {
		break
	}
}

func testFileAndFolder(t *testing.T, b store.Backend) {
	h := put(t, b, "refs/heads/a/b", object.Zero, commit("file", "1"))
	for _, name := range []string{"refs/heads/a", "refs/heads/a/b/c"} {
		if err := b.Commit(soon(t), nil, []store.RefChange{{Name: name, New: h}}); err == nil {
			t.Errorf("create %s beside refs/heads/a/b: got no error", name)
		}
		at(t, b, name, object.Zero)
	}
	if err := b.Commit(soon(t), nil, []store.RefChange{{Name: "refs/heads/x", New: h}, {Name: "refs/heads/x/y", New: h}}); err == nil {
		t.Error("create refs/heads/x and refs/heads/x/y: got no error")
	}
	at(t, b, "refs/heads/x", object.Zero)
	if err := b.Commit(soon(t), nil, []store.RefChange{{Name: "refs/heads/a/b", Old: h}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(soon(t), nil, []store.RefChange{{Name: "refs/heads/a", New: h}}); err != nil {
		t.Errorf("create refs/heads/a after refs/heads/a/b has gone: %v", err)
	}
}

func testBadNames(t *testing.T, b store.Backend) {
	h := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	for _, name := range []string{"", "x", "refs/heads/../../x", "refs/heads/a.lock", "refs/heads/", "refs//x", "refs/heads/a b", "/refs/heads/x", "refs/heads/a\x00b"} {
		if err := b.Commit(soon(t), nil, []store.RefChange{{Name: name, New: h}}); err == nil {
			t.Errorf("create %q: got no error", name)
		}
		if _, err := b.Ref(soon(t), name); err == nil {
			t.Errorf("ref %q: got no error", name)
		}
	}
	twice := store.RefChange{Name: "refs/heads/twice", New: h}
	if err := b.Commit(soon(t), nil, []store.RefChange{twice, twice}); err == nil {
		t.Error("the same ref twice: got no error")
	}
}

func testMany(t *testing.T, b store.Backend) {
	h := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	var create, remove []store.RefChange
	for i := range 2000 {
		name := fmt.Sprintf("refs/heads/many/%04d", i)
		create = append(create, store.RefChange{Name: name, New: h})
		remove = append(remove, store.RefChange{Name: name, Old: h})
	}
	for _, step := range []struct {
		changes []store.RefChange
		want    int
	}{{create, len(create)}, {remove, 0}} {
		if err := b.Commit(soon(t), nil, step.changes); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range b.Refs(soon(t), "refs/heads/many/") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != step.want {
			t.Errorf("refs: got %d, want %d", n, step.want)
		}
	}
}

// testRace lets many move one ref at the same time: in each round exactly one
// wins.
func testRace(t *testing.T, b store.Backend) {
	old := put(t, b, "refs/heads/main", object.Zero, commit("file", "0"))
	for round := range 10 {
		var won atomic.Int64
		var winner atomic.Value
		var wg sync.WaitGroup
		for i := range 8 {
			objs := commit("file", fmt.Sprint(round, i), old)
			change := store.RefChange{Name: "refs/heads/main", Old: old, New: objs[2].Hash()}
			wg.Go(func() {
				err := b.Commit(soon(t), objs, []store.RefChange{change})
				if err == nil {
					won.Add(1)
					winner.Store(change.New)
					return
				}
				if _, ok := errors.AsType[*store.ConflictError](err); !ok {
					t.Errorf("loser: got %v, want a conflict", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: got %d winners, want 1", round, won.Load())
		}
		old = winner.Load().(store.Hash)
		at(t, b, "refs/heads/main", old)
	}
}

func testCancelled(t *testing.T, b store.Backend) {
	ctx, cancel := context.WithCancel(soon(t))
	cancel()
	objs := commit("file", "1")
	err := b.Commit(ctx, objs, []store.RefChange{{Name: "refs/heads/main", New: objs[2].Hash()}})
	if moved := value(t, b, "refs/heads/main") != object.Zero; moved != (err == nil) {
		t.Errorf("commit with a context that has ended: got %v, moved %v", err, moved)
	}
}
