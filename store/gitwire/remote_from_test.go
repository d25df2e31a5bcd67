package gitwire

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A push from a store sends what the remote lacks, and only that.
func TestPushFromStore(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newHistory(t)
		from := newDisk(t)
		load(t, from, g)
		r := remoteOf(t, h.client, h.url)
		main, v2 := hashOf(t, g.rev(t, "main")), hashOf(t, g.rev(t, "refs/tags/v2"))
		err := r.Push(t.Context(), PushRequest{
			Commands: []Command{{Name: "refs/heads/main", New: main}, {Name: "refs/tags/v2", New: v2}},
			From:     from,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := sortedLines(g.git(t, "rev-list", "--objects", "--no-object-names", "main", "v2"))
		if got := sortedLines(h.repo.git(t, "rev-list", "--objects", "--no-object-names", "--all")); !slices.Equal(got, want) {
			t.Errorf("objects: got %d, want %d", len(got), len(want))
		}
		h.repo.git(t, "fsck", "--strict")

		next := hashOf(t, g.at(8*24*60*60).commit(t, "c7", "a/b/one", strings.Repeat("one more\n", 403)))
		load(t, from, g)
		p := moves(main, next)
		nowhere, _ := parseHash(strings.Repeat("12", 20))
		p.From, p.Have = from, []store.Hash{main, v2, nowhere}
		pack, err := preparePack(t.Context(), &p)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(pack.sel.list); got != 5 {
			t.Errorf("one file changed two folders deep: got %d objects, want 5", got)
		}
		if err := r.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		h.repo.git(t, "fsck", "--strict")
		if got := hashOf(t, h.repo.rev(t, "main")); got != next {
			t.Errorf("main: got %s, want %s", got, next)
		}
	})
}

// A history that is cut off below what the remote has can be pushed from; one that
// is cut off above cannot, and the error says what is not there.
func TestPushFromShallowStore(t *testing.T) {
	h := stockHost(t, true)
	r := remoteOf(t, h.client, h.url)
	tip := grow(t, r, store.Hash{}, 3)
	local := newMemory(t)
	got, err := r.Fetch(t.Context(), FetchRequest{Into: local, Prefixes: []string{"refs/heads/"}, Depth: 1})
	if err != nil || len(got.Shallow) != 1 {
		t.Fatalf("got %v, %v, want one commit cut off", got, err)
	}
	objs, next := chain(5000, "next", tip)
	if err := local.Commit(t.Context(), objs, nil); err != nil {
		t.Fatal(err)
	}
	p := moves(tip, next)
	p.From = local
	if err := r.Push(t.Context(), p); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrInDoubt) {
		t.Errorf("without Have: got %v, want %v", err, fs.ErrNotExist)
	}
	p.Have = []store.Hash{tip}
	if err := r.Push(t.Context(), p); err != nil {
		t.Errorf("with Have: %v", err)
	}
	h.wantRefs(t, "main", next)
}

// What cannot be read while it is being sent ends the push, without doubt: the
// remote cannot have the whole pack.
func TestPushFromBrokenStore(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		local := &forgetful{receivingBackend: newMemory(t), lost: make(map[store.Hash]bool)}
		var objs []object.Object
		entries := make(map[string]object.Object)
		for i := range 6 {
			file := blob(incompressible(1<<20) + string(rune('a'+i)))
			entries[string(rune('a'+i))] = file
			objs = append(objs, file)
		}
		tree := folder(entries)
		tip := commitOf(100, tree.Hash())
		objs = append(objs, tree, tip)
		if err := local.Commit(t.Context(), objs, nil); err != nil {
			t.Fatal(err)
		}
		local.lost[entries["a"].Hash()] = true
		r := remoteOf(t, h.client, h.url)
		p := moves(store.Hash{}, tip.Hash())
		p.From = struct{ store.Objects }{local} // no packs to copy from
		if err := r.Push(t.Context(), p); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrInDoubt) {
			t.Errorf("got %v, want %v without doubt", err, fs.ErrNotExist)
		}
		h.wantRefs(t)
		clear(local.lost)
		if err := r.Push(t.Context(), p); err != nil {
			t.Error(err)
		}
		h.wantRefs(t, "main", tip.Hash())
	})
}

// A large push takes little memory.
func TestPushFromStoreMemory(t *testing.T) {
	if !long() {
		t.Skip("it writes half a gigabyte: set CAIRN_LONG=1")
	}
	const files, size = 128, 4 << 20
	from := newDisk(t)
	var names []object.Entry
	for i := range files {
		data := make([]byte, size)
		rand.Read(data)
		file := object.Object{Type: object.TypeBlob, Data: data}
		names = append(names, object.Entry{Name: string([]rune{'a' + rune(i/26), 'a' + rune(i%26)}), Mode: object.ModeFile, Hash: file.Hash()})
		if err := from.Commit(t.Context(), []object.Object{file}, nil); err != nil {
			t.Fatal(err)
		}
	}
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, names)}
	tip := commitOf(100, tree.Hash())
	if err := from.Commit(t.Context(), []object.Object{tree, tip}, nil); err != nil {
		t.Fatal(err)
	}
	h := stockSSH(t, true)
	r := remoteOf(t, h.client, h.url)
	runtime.GC()
	var peak atomic.Uint64
	done := make(chan struct{})
	go func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	p := moves(store.Hash{}, tip.Hash())
	p.From = from
	err := r.Push(t.Context(), p)
	close(done)
	if err != nil {
		t.Fatal(err)
	}
	h.wantRefs(t, "main", tip.Hash())
	t.Logf("%d MB pushed, the heap was %d MB at most", files*size>>20, peak.Load()>>20)
	const most = files * size / 3 // garbage and the caches of the store included
	if peak.Load() > most {
		t.Errorf("heap: got %d MB, want at most %d", peak.Load()>>20, most>>20)
	}
}
