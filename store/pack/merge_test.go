package pack_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/store/object"
	"cairn/store/pack"
)

func openPack(t testing.TB, data, idx []byte, bases *pack.BaseCache) *pack.Pack {
	t.Helper()
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Open(bytes.NewReader(data), int64(len(data)), ix, bases)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A growth is a repository that grows by packs, and what Merge has to know of it. The
// packs lie one after the other in a file.
type growth struct {
	t     testing.TB
	site  *site
	file  *os.File
	size  int64
	bases *pack.BaseCache
	items []pack.Item
}

func newGrowth(t testing.TB, folders, files int) *growth {
	s, objs := newSite(folders, files)
	g := &growth{t: t, site: s, file: tempSpool(t), bases: pack.NewBaseCache(32 << 20)}
	g.add(objs)
	return g
}

// add makes a pack of objects; Base hints go to the Items as well.
func (g *growth) add(objs []object.Object) {
	g.t.Helper()
	data, idx := write(g.t, objs, pack.Stored)
	if _, err := g.file.WriteAt(data, g.size); err != nil {
		g.t.Fatal(err)
	}
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		g.t.Fatal(err)
	}
	n := int64(len(data))
	p, err := pack.Open(io.NewSectionReader(g.file, g.size, n), n, ix, g.bases)
	if err != nil {
		g.t.Fatal(err)
	}
	g.size += n
	for _, o := range objs {
		h := o.Hash()
		off, _ := ix.Find(h)
		g.items = append(g.items, pack.Item{Hash: h, Pack: p, Offset: off, Base: o.Base})
	}
}

// update makes packs of 64 updates each.
func (g *growth) update(n int) {
	for n > 0 {
		var objs []object.Object
		for range min(n, 64) {
			objs = append(objs, g.site.update()...)
		}
		g.add(objs)
		n -= min(n, 64)
	}
}

// merge makes one pack of all, in a repository.
func (g *growth) merge() (dir string, peak uint64) {
	g.t.Helper()
	out := tempSpool(g.t)
	var idx []byte
	peak = peakHeap(func() {
		sum, entries, err := pack.Merge(context.Background(), out, g.items)
		if err != nil {
			g.t.Fatal(err)
		}
		idx = pack.AppendIndex(nil, entries, sum)
	})
	data, err := os.ReadFile(out.Name())
	if err != nil {
		g.t.Fatal(err)
	}
	return install(g.t, g.site.parent, data, idx), peak
}

// packed is how many bytes the packs and indexes of a repository have.
func packed(t testing.TB, dir string) (size int64) {
	t.Helper()
	for _, name := range append(glob(t, dir, "*.pack"), glob(t, dir, "*.idx")...) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// TestMergeGrowth compares a history of one-file updates, merged, with what
// git gc makes of it.
func TestMergeGrowth(t *testing.T) {
	folders, files, updates := 64, 10, 2000
	if os.Getenv("CAIRN_LONG") != "" {
		folders, files, updates = 256, 40, 100_000
	}
	g := newGrowth(t, folders, files)
	g.update(updates)
	start := time.Now()
	dir, peak := g.merge()
	took := time.Since(start)
	git(t, dir, nil, "fsck", "--strict", "--full")
	out := string(git(t, dir, nil, "verify-pack", "-v", "objects/pack/"+filepath.Base(glob(t, dir, "*.idx")[0])))
	if strings.Contains(out, fmt.Sprintf("chain length = %d:", pack.MaxDepth+1)) {
		t.Error("a chain is too long")
	}
	got := packed(t, dir)
	git(t, dir, nil, "gc", "-q", "--no-cruft", "--prune=now")
	want := packed(t, dir)
	t.Logf("%d updates: packs %d kB, merged %d kB, git gc %d kB: %.2f; %v, peak %d MB",
		updates, g.size>>10, got>>10, want>>10, float64(got)/float64(want), took, peak>>20)
	if 2*got > 3*want {
		t.Errorf("%d bytes, git gc makes %d of it", got, want)
	}
	if peak > 256<<20 {
		t.Errorf("merging took %d MB", peak>>20)
	}
}

// TestMergeFromGit merges packs that git made, in git's order, with deltas
// whose bases come later.
func TestMergeFromGit(t *testing.T) {
	dir := history(t, 200)
	want := contents(t, dir)
	data := git(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--delta-base-offset", "--no-reuse-delta", "--depth=250")
	got, spool, err := receive(t, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := openPack(t, spool.Bytes(), got.Index(), pack.NewBaseCache(1<<20))
	for _, reverse := range []bool{false, true} {
		var items []pack.Item
		for h, off := range p.Index().InPackOrder() {
			items = append(items, pack.Item{Hash: h, Pack: p, Offset: off})
		}
		if reverse {
			for i := range len(items) / 2 {
				items[i], items[len(items)-1-i] = items[len(items)-1-i], items[i]
			}
			for i := 1; i < len(items); i++ {
				items[i].Base = items[i-1].Hash // mostly nonsense
			}
		}
		var b bytes.Buffer
		sum, entries, err := pack.Merge(context.Background(), &b, items)
		if err != nil {
			t.Fatal(err)
		}
		idx := pack.AppendIndex(nil, entries, sum)
		compare(t, b.Bytes(), idx, want)
		sameIndex(t, b.Bytes(), idx)
	}
}

func TestMergeCancelled(t *testing.T) {
	g := newGrowth(t, 2, 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := pack.Merge(ctx, &bytes.Buffer{}, g.items); err == nil {
		t.Error("went on")
	}
}

// TestMergeCompressesDeltas merges a Stored delta that inserts a lot of text.
func TestMergeCompressesDeltas(t *testing.T) {
	base := object.Object{Type: object.TypeBlob, Data: treeData(200, 1)}
	more := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog.\n"), 60)
	o := object.Object{Type: object.TypeBlob, Data: append(bytes.Clone(base.Data), more...), Base: base.Hash()}
	base.Base = o.Hash() // so that the Writer keeps it
	data, idx := write(t, []object.Object{base, o}, pack.Stored)
	p := openPack(t, data, idx, pack.NewBaseCache(1<<20))
	var items []pack.Item
	for h, off := range p.Index().InPackOrder() {
		items = append(items, pack.Item{Hash: h, Pack: p, Offset: off})
	}
	var b bytes.Buffer
	sum, entries, err := pack.Merge(context.Background(), &b, items)
	if err != nil {
		t.Fatal(err)
	}
	if size := int64(b.Len()) - 20 - entries[1].Offset; size > 200 {
		t.Errorf("the delta takes %d bytes, want at most 200", size)
	}
	merged := pack.AppendIndex(nil, entries, sum)
	compare(t, b.Bytes(), merged, map[object.Hash]object.Object{base.Hash(): base, o.Hash(): o})
}
