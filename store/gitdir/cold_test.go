package gitdir

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"cairn/store"
)

// TestColdOpen opens a repository of many files, 100,000 with CAIRN_LONG, and
// reads one. It should take at most 50 ms and 40 MB of heap.
func TestColdOpen(t *testing.T) {
	folders := 20
	if os.Getenv("CAIRN_LONG") != "" {
		folders = 400
	}
	d := newDir(t, Options{NoMaintenance: true})
	f, objs := newFanout(folders, 250)
	if err := d.Commit(context.Background(), objs, []store.RefChange{{Name: "refs/heads/main", New: f.tip}}); err != nil {
		t.Fatal(err)
	}
	git(t, string(d.root), "gc", "-q")
	objs = nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	cold := openDir(t, string(d.root), Options{})
	ref, err := cold.Ref(context.Background(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cold.Object(context.Background(), ref.Hash); err != nil {
		t.Fatal(err)
	}
	if _, err := cold.Object(context.Background(), f.folders[folders/2][7].Hash); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	heap := int64(after.TotalAlloc - before.TotalAlloc)
	t.Logf("%d files: %v to the first reads, %d KB allocated", folders*250, took.Round(10*time.Microsecond), heap>>10)
	if heap > 40<<20 {
		t.Errorf("allocated: got %d MB, want at most 40", heap>>20)
	}
}

// BenchmarkObject reads random files of a tree of 10,000.
func BenchmarkObject(b *testing.B) {
	d := newDir(b, Options{NoMaintenance: true})
	f, objs := newFanout(100, 100)
	if err := d.Commit(context.Background(), objs, []store.RefChange{{Name: "refs/heads/main", New: f.tip}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		folder := f.folders[f.random.IntN(len(f.folders))]
		if _, err := d.Object(context.Background(), folder[f.random.IntN(len(folder))].Hash); err != nil {
			b.Fatal(err)
		}
	}
}
