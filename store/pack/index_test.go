package pack_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// TestIndexLargeOffsets has offsets beyond 2 GiB and 4 GiB; git show-index reads them.
func TestIndexLargeOffsets(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	var entries []pack.IndexEntry
	for i := range 500 {
		e := pack.IndexEntry{CRC: rnd.Uint32(), Offset: 12 + int64(i)*(1<<33)/500}
		for j := range e.Hash {
			e.Hash[j] = byte(rnd.Uint32())
		}
		entries = append(entries, e)
	}
	want := make(map[object.Hash]pack.IndexEntry)
	for _, e := range entries {
		want[e.Hash] = e
	}
	data := pack.AppendIndex(nil, entries, object.Hash{1})
	ix, err := pack.OpenIndex(data)
	if err != nil {
		t.Fatal(err)
	}
	if ix.Len() != len(want) || ix.PackSum() != (object.Hash{1}) {
		t.Errorf("%d objects of pack %s", ix.Len(), ix.PackSum())
	}
	for i := range ix.Len() {
		e := ix.At(i)
		if e != want[e.Hash] {
			t.Errorf("got %v, want %v", e, want[e.Hash])
		}
		if off, ok := ix.Find(e.Hash); !ok || off != e.Offset {
			t.Errorf("Find(%s) = %d, %v, want %d", e.Hash, off, ok, e.Offset)
		}
		e.Hash[19]++
		if _, ok := ix.Find(e.Hash); ok {
			t.Errorf("found %s, which is not there", e.Hash)
		}
	}
	last := int64(0)
	for h, off := range ix.InPackOrder() {
		if off <= last || want[h].Offset != off {
			t.Errorf("%s at %d after %d, want at %d", h, off, last, want[h].Offset)
		}
		last = off
	}
	out := string(git(t, t.TempDir(), data, "show-index"))
	for h, e := range want {
		if line := fmt.Sprintf("%d %s (%08x)\n", e.Offset, h, e.CRC); !strings.Contains(out, line) {
			t.Errorf("git show-index has no line %q", line)
		}
	}
}

func TestFindAllocs(t *testing.T) {
	_, objs := newSite(4, 4)
	_, idx := write(t, objs, pack.Stored)
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	h := objs[3].Hash()
	if n := testing.AllocsPerRun(100, func() { ix.Find(h) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// TestPackConcurrently reads a pack from many goroutines through a cache that
// is too small for it.
func TestPackConcurrently(t *testing.T) {
	s, objs := newSite(8, 20)
	for range 200 {
		objs = append(objs, s.update()...)
	}
	data, idx := write(t, objs, pack.Fast)
	bases := pack.NewBaseCache(64 << 10)
	p := openPack(t, data, idx, bases)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 0))
			for range 300 {
				o := objs[rnd.IntN(len(objs))]
				off, _ := p.Index().Find(o.Hash())
				got, err := p.Object(off)
				if err != nil || !bytes.Equal(got.Data, o.Data) {
					t.Errorf("object %s: %v", o.Hash(), err)
				}
				e, err := p.Entry(off)
				if err != nil || e.Type != o.Type {
					t.Errorf("entry %s: %v, %v", o.Hash(), e.Type, err)
				}
			}
		})
	}
	wg.Wait()
	bases.Forget(p)
}

// TestOpenWrongIndex gives a pack the index of another.
func TestOpenWrongIndex(t *testing.T) {
	s, objs := newSite(2, 2)
	data, _ := write(t, objs, pack.Stored)
	_, idx := write(t, s.update(), pack.Stored)
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pack.Open(bytes.NewReader(data), int64(len(data)), ix, pack.NewBaseCache(0)); err == nil {
		t.Error("opened")
	}
}

// TestReadGit reads the packs that git gc makes, as they are.
func TestReadGit(t *testing.T) {
	dir := history(t, 250)
	want := contents(t, dir)
	git(t, dir, nil, "-c", "gc.aggressiveDepth=200", "gc", "-q", "--aggressive", "--no-cruft", "--prune=now")
	name := glob(t, filepath.Join(dir, ".git"), "*.pack")[0]
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := os.ReadFile(strings.TrimSuffix(name, "pack") + "idx")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, data, idx, want)
}

// TestEntryDamaged flips each bit of a pack's entries: none is handed on.
func TestEntryDamaged(t *testing.T) {
	big := make([]byte, 2<<20)
	rand.NewChaCha8([32]byte{3}).Read(big)
	data, idx := write(t, []object.Object{
		{Type: object.TypeBlob, Data: []byte("a small one")},
		{Type: object.TypeBlob, Data: big},
	}, pack.Stored)
	for at := 12; at < len(data)-20; at += 1 + at*at/50 {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x10
		p := openPack(t, damaged, idx, pack.NewBaseCache(0))
		bad := 0
		for _, off := range p.Index().All() {
			e, err := p.Entry(off)
			if err == nil && e.Reader != nil {
				r, _ := e.Reader()
				_, err = io.Copy(io.Discard, r)
			}
			if err != nil {
				bad++
			}
		}
		if bad != 1 {
			t.Errorf("byte %d: %d damaged entries were found, want 1", at, bad)
		}
	}
}
