package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// fill makes a repository with a branch "main" of folders × files small files.
func fill(tb testing.TB, r *store.Repo, folders, files int) *store.Branch {
	tb.Helper()
	b := r.Branch("main")
	err := b.Update(context.Background(), store.Change{Message: "fill"}, func(tx *store.Tx) error {
		for i := range folders {
			for j := range files {
				if err := tx.Put(key(i, j), fmt.Appendf(nil, "%d %d\n", i, j)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func key(i, j int) string { return fmt.Sprintf("%02x/file%04d.txt", i, j) }

func BenchmarkGet(b *testing.B) {
	branch := fill(b, store.New(mem.New(), store.Options{}), 256, 400)
	tree, err := branch.Tree(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 0, 256*400)
	for i := range 256 {
		for j := range 400 {
			keys = append(keys, key(i, j))
		}
	}
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys {
		if _, _, err := tree.Blob(k); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, _, err := tree.Blob(keys[n%len(keys)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkDiff(b *testing.B) {
	ctx := context.Background()
	branch := fill(b, store.New(mem.New(), store.Options{}), 256, 400)
	old, err := branch.Tree(ctx)
	if err != nil {
		b.Fatal(err)
	}
	err = branch.Update(ctx, store.Change{Message: "edit"}, func(tx *store.Tx) error { return tx.Put(key(100, 200), []byte("new")) })
	if err != nil {
		b.Fatal(err)
	}
	now, err := branch.Tree(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range old.Diff(ctx, now) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1 {
			b.Fatalf("got %d differences, want 1", n)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			branch := fill(b, store.New(mem.New(), store.Options{}), 256, 40)
			var n atomic.Int64
			b.SetParallelism(writers)
			b.ReportAllocs()
			b.ResetTimer()
			update := func() error {
				i := n.Add(1)
				return branch.Update(context.Background(), store.Change{Message: "edit"}, func(tx *store.Tx) error {
					return tx.Put(key(rand.IntN(256), rand.IntN(40)), fmt.Appendf(nil, "edit %d\n", i))
				})
			}
			if writers == 1 {
				for b.Loop() {
					if err := update(); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := update(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
