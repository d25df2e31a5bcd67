package gitdir

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// BenchmarkCommit is one writer: the objects of a one-file change and a ref.
func BenchmarkCommit(b *testing.B) {
	ctx := context.Background()
	d := newDir(b, Options{})
	var old store.Hash
	for i := 0; b.Loop(); i++ {
		objs, c := change(old, "a", fmt.Sprint(i))
		if err := d.Commit(ctx, objs, []store.RefChange{{Name: "refs/heads/main", Old: old, New: c}}); err != nil {
			b.Fatal(err)
		}
		old = c
	}
}

// BenchmarkTwoFiles is what BenchmarkCommit is measured against: two small
// files written, synced and renamed, and their folder synced after each.
func BenchmarkTwoFiles(b *testing.B) {
	dir := osDisk(b.TempDir())
	for i := 0; b.Loop(); i++ {
		for _, name := range []string{"x", "y"} {
			f, err := os.Create(filepath.Join(string(dir), "temp"))
			if err != nil {
				b.Fatal(err)
			}
			f.Write(make([]byte, 1000))
			f.Sync()
			f.Close()
			if err := dir.rename("temp", fmt.Sprint(name, i)); err != nil {
				b.Fatal(err)
			}
			dir.syncDir(".")
		}
	}
}

// BenchmarkBatch is what 64 concurrent writers come to: their commits in one
// call. Reported per commit.
func BenchmarkBatch(b *testing.B) {
	ctx := context.Background()
	d := newDir(b, Options{})
	var old store.Hash
	for i := 0; b.Loop(); i++ {
		var all []object.Object
		first := old
		for j := range 64 {
			objs, c := change(old, "a", fmt.Sprint(i, j))
			all, old = append(all, objs...), c
		}
		if err := d.Commit(ctx, all, []store.RefChange{{Name: "refs/heads/main", Old: first, New: old}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*64/b.Elapsed().Seconds(), "commits/s")
}
