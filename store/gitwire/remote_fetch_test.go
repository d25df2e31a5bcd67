package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// commits counts the commits that can be walked to from h, stopping where parents are absent.
func commits(t *testing.T, objs store.Objects, h store.Hash) int {
	t.Helper()
	g := newGraph(objs)
	g.lenient = true
	todo, seen := []int32{g.number(h)}, map[int32]bool{}
	n := 0
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		if err := g.load(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if !g.has(i, markAbsent) {
			n++
		}
		todo = append(todo, g.nodes[i].parents...)
	}
	return n
}

// A history that is cut off grows longer, and whole.
func TestFetchShallow(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newHistory(t)
		h.push(t, g, "refs/*:refs/*")
		main := hashOf(t, g.rev(t, "main"))
		total := len(strings.Fields(g.git(t, "rev-list", "main")))
		r := remoteOf(t, h.client, h.url)
		local := newMemory(t)
		f := FetchRequest{Into: local, Prefixes: []string{"refs/heads/main"}, Depth: 1}
		got, err := r.Fetch(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if want := []store.Hash{main}; !slices.Equal(got.Shallow, want) || len(got.Unshallow) > 0 {
			t.Errorf("depth 1: got shallow %v and unshallow %v, want %v and none", got.Shallow, got.Unshallow, want)
		}
		if n := commits(t, local, main); n != 1 {
			t.Errorf("depth 1: got %d commits, want 1", n)
		}
		// One commit more, on what is cut off.
		f.Have, f.Shallow, f.Depth = []store.Ref{{Name: "m", Hash: main}}, got.Shallow, 0
		next := hashOf(t, g.at(8*24*60*60).commit(t, "c7", "top", "top once more"))
		h.push(t, g, "main")
		if got, err = r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n := commits(t, local, next); n != 2 || len(got.Shallow)+len(got.Unshallow) > 0 {
			t.Errorf("one more: got %d commits and %v, want 2 and no change", n, got)
		}
		// Three deep, then all.
		f.Have, f.Depth = []store.Ref{{Name: "m", Hash: next}}, 4
		if got, err = r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(got.Unshallow, main) || len(got.Shallow) == 0 {
			t.Errorf("depth 4: got %v, want %s given its parents and others cut off", got, main)
		}
		f.Shallow, f.Depth = got.Shallow, FullDepth
		if got, err = r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n := commits(t, local, next); n != total+1 || len(got.Shallow) > 0 {
			t.Errorf("all of it: got %d commits and %v cut off, want %d and none", n, got.Shallow, total+1)
		}
	})
}

// Blobs stay away until they are asked for by name.
func TestFetchPartial(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newHistory(t)
		h.push(t, g, "refs/*:refs/*")
		r := remoteOf(t, h.client, h.url)
		able, err := r.Able(t.Context())
		if want := (Abilities{Filter: true, Shallow: true, WantAny: true, Push: true, Atomic: true, DeleteRefs: true, PushOptions: true, Wait: able.Wait}); err != nil || able != want {
			t.Errorf("abilities: got %+v, %v, want %+v", able, err, want)
		}
		local := &lastPack{receivingBackend: newMemory(t)}
		f := FetchRequest{Into: local, Prefixes: []string{"refs/heads/main"}, Filter: "blob:none", Partial: true, Depth: 1}
		if _, err := r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		main := hashOf(t, g.rev(t, "main"))
		if _, err := local.Object(t.Context(), main); err != nil {
			t.Error(err)
		}
		blob := hashOf(t, g.rev(t, "main:a/two"))
		if _, err := local.Object(t.Context(), blob); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a blob: got %v, want it to stay away", err)
		}
		other := hashOf(t, g.rev(t, "v1:a/b/one")) // of history that has not been fetched
		byHash := FetchRequest{Into: local, Objects: []store.Hash{blob, other, blob}, Partial: true}
		got, err := r.Fetch(t.Context(), byHash)
		if err != nil {
			t.Fatal(err)
		}
		if local.objects != 2 || len(got.Refs) > 0 {
			t.Errorf("two blobs by hash: got %d objects and refs %v, want 2 and none", local.objects, got.Refs)
		}
		if o, err := local.Object(t.Context(), blob); err != nil || string(o.Data) != "two" {
			t.Errorf("the blob: got %q, %v, want %q", o.Data, err, "two")
		}
		// A tree by hash comes alone where the filter says so.
		tree := hashOf(t, g.rev(t, "v2:c"))
		byHash.Objects, byHash.Filter = []store.Hash{tree}, "tree:0"
		if _, err := r.Fetch(t.Context(), byHash); err != nil || local.objects != 1 {
			t.Errorf("a tree by hash: got %v and %d objects, want 1", err, local.objects)
		}
		// What is nowhere.
		nowhere, _ := parseHash(strings.Repeat("12", 20))
		byHash.Objects, byHash.Filter = []store.Hash{nowhere}, ""
		var missing *MissingError
		if _, err := r.Fetch(t.Context(), byHash); !errors.As(err, &missing) || missing.Object != nowhere {
			t.Errorf("an object that is not there: got %v, want a MissingError of it", err)
		}
	})
}

// What a fetch on a warm replica costs.
func TestWarmFetchRequests(t *testing.T) {
	for kind, want := range map[string][2][]string{
		"git-http":    {{"POST", "POST"}, {"POST"}},
		"http":        {{"POST", "POST"}, {"POST"}},
		"git-http-v0": {{"GET", "POST"}, {"POST"}},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			r := remoteOf(t, h.client, h.url)
			first := grow(t, r, store.Hash{}, 1)
			local := &lastPack{receivingBackend: newMemory(t)}
			f := FetchRequest{Into: local, Prefixes: []string{"refs/heads/"}}
			if _, err := r.Fetch(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			second := grow(t, r, first, 1)
			h.http.take()
			f.Have = []store.Ref{{Name: "main", Hash: first}}
			if _, err := r.Fetch(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if got := h.http.take(); !slices.Equal(got, want[0]) {
				t.Errorf("a new commit: got requests %q, want %q", got, want[0])
			}
			third := grow(t, r, second, 1)
			h.http.take()
			f.Have = []store.Ref{{Name: "main", Hash: second}}
			f.Objects = []store.Hash{third}
			if _, err := r.Fetch(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if got := h.http.take(); !slices.Equal(got, want[1]) {
				t.Errorf("a commit by hash: got requests %q, want %q", got, want[1])
			}
			if local.objects > 3 {
				t.Errorf("a commit by hash: got %d objects, want 3", local.objects)
			}
		})
	}
}

// Histories with many ends take several questions, and what both have is not sent.
func TestFetchNegotiates(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		// A common history of 600 commits, 300 branches on it that only this side has, and
		// one commit that only the other has, far from all tips.
		local := &lastPack{receivingBackend: newMemory(t)}
		var objs []object.Object
		add := func(date int, text string, parents ...store.Hash) store.Hash {
			made, tip := chain(date, text, parents...)
			objs = append(objs, made...)
			return tip
		}
		tip := add(1000, "0")
		for i := 1; i < 600; i++ {
			tip = add(1000+i, fmt.Sprint(i), tip)
		}
		r := remoteOf(t, h.client, h.url)
		p := moves(store.Hash{}, tip)
		p.Objects = objs
		if err := r.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		madeThere, there := chain(2000, "only there", tip)
		p = moves(tip, there)
		p.Objects = madeThere
		if err := r.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		var have []store.Ref
		for i := range 300 {
			mine := tip
			for k := range 3 {
				mine = add(10000+i, fmt.Sprint(i, " ", k), mine)
			}
			have = append(have, store.Ref{Name: fmt.Sprintf("refs/heads/b%d", i), Hash: mine})
		}
		if err := local.Commit(t.Context(), objs, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Fetch(t.Context(), FetchRequest{Into: local, Have: have, Prefixes: []string{"refs/heads/"}}); err != nil {
			t.Fatal(err)
		}
		if local.objects > 100 {
			t.Errorf("objects: got %d, want the 3 that are new and few more", local.objects)
		}
		if _, err := local.Object(t.Context(), there); err != nil {
			t.Errorf("the new commit: %v", err)
		}
	})
}

// forgetful is a store that has let go of some objects.
type forgetful struct {
	receivingBackend
	lost     map[store.Hash]bool
	received int // packs
}

func (f *forgetful) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	if f.lost[h] {
		return object.Object{}, fs.ErrNotExist
	}
	return f.receivingBackend.Object(ctx, h)
}

func (f *forgetful) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	if f.lost[h] {
		return 0, 0, fs.ErrNotExist
	}
	return f.receivingBackend.Stat(ctx, h)
}

func (f *forgetful) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	f.received++
	return f.receivingBackend.Receive(ctx, r, base, lim)
}

// A delta on something that has been let go of is not the end: the base is asked for.
func TestFetchMissingBases(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newGitRepo(t)
		g.git(t, "init", "-q", g.dir)
		text := strings.Repeat(incompressible(200)+"\n", 50) + incompressible(20000)
		g.at(0).commit(t, "c0", "big", text)
		g.at(1).commit(t, "c1", "big", text+"more\n")
		h.push(t, g, "HEAD^:refs/heads/main")
		local := &forgetful{receivingBackend: newMemory(t), lost: make(map[store.Hash]bool)}
		r := remoteOf(t, h.client, h.url)
		f := FetchRequest{Into: local, Prefixes: []string{"refs/heads/"}, Partial: true}
		if _, err := r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		f.Have = []store.Ref{{Name: "main", Hash: hashOf(t, g.rev(t, "HEAD^"))}}
		local.lost[hashOf(t, g.rev(t, "HEAD^:big"))] = true
		local.lost[hashOf(t, g.rev(t, "HEAD^^{tree}"))] = true
		h.push(t, g, "HEAD:refs/heads/main")
		if _, err := r.Fetch(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if _, err := local.Object(t.Context(), hashOf(t, g.rev(t, "HEAD:big"))); err != nil {
			t.Errorf("the new file: %v", err)
		}
		// git makes a delta of the file; our own server sends what it keeps as it is.
		if stock := strings.Contains(t.Name(), "/git-"); stock && local.received < 3 {
			t.Errorf("packs received: got %d, want some for bases", local.received)
		}
	})
}

// What hosts refuse before anything is asked.
func TestFetchUnsupported(t *testing.T) {
	h := stockHost(t, true)
	h.repo.git(t, "config", "uploadpack.allowFilter", "false")
	r := remoteOf(t, h.client, h.url)
	for what, f := range map[string]FetchRequest{
		"a filter that the host has not": {Filter: "blob:none", Partial: true},
	} {
		f.Into = newMemory(t)
		if _, err := r.Fetch(t.Context(), f); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: got %v, want %v", what, err, errors.ErrUnsupported)
		}
	}
	for what, f := range map[string]FetchRequest{
		"a filter without a promise": {Filter: "blob:none"},
		"a filter that is none":      {Filter: "everything", Partial: true},
		"a depth below nothing":      {Depth: -1},
	} {
		f.Into = newMemory(t)
		if _, err := r.Fetch(t.Context(), f); err == nil {
			t.Errorf("%s: got no error, want one", what)
		}
	}
	if _, err := r.Wait(t.Context(), nil, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("to wait: got %v, want %v", err, errors.ErrUnsupported)
	}
}
