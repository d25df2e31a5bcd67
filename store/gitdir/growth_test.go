package gitdir

import (
	"context"
	"os"
	"path/filepath"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
)

// TestGrowth makes updates of one file in a fan-out tree and compares the size of
// the merged repository with what git gc makes of it, and the memory that
// merging takes with its bound. CAIRN_LONG=1: 100,000 updates.
func TestGrowth(t *testing.T) {
	updates := 2_000
	if os.Getenv("CAIRN_LONG") != "" {
		updates = 100_000
	}
	d := newDir(t, Options{})
	f, objs := newFanout(256, 40)
	if err := d.Commit(context.Background(), objs, []store.RefChange{{Name: "refs/heads/main", New: f.tip}}); err != nil {
		t.Fatal(err)
	}
	peak, stop := watchHeap(t)
	began := time.Now()
	f.fill(t, d, updates/20, 1)
	single := time.Since(began)
	f.fill(t, d, updates-updates/20, 64)
	wrote := time.Since(began)
	if err := d.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	stop()
	packs := len(d.packs.now.Load().packs)
	ours := folderBytes(t, string(d.root), "objects")
	fsck(t, d)

	copied := filepath.Join(t.TempDir(), "copy.git")
	git(t, t.TempDir(), "clone", "-q", "--mirror", "--no-local", string(d.root), copied)
	git(t, copied, "gc", "-q", "--prune=now")
	gits := folderBytes(t, copied, "objects")
	ratio := float64(ours) / float64(gits)
	t.Logf("%d updates (%.0f/s alone, %v in all): %d bytes in %d packs; after git gc %d; ratio %.2f; heap at most %d MB",
		updates, float64(updates/20)/single.Seconds(), wrote.Round(time.Millisecond), ours, packs, gits, ratio, peak.Load()>>20)
	if updates >= 100_000 && ratio > 1.5 {
		t.Errorf("ratio: got %.2f, want at most 1.5", ratio)
	}
	if peak.Load() > 256<<20 {
		t.Errorf("heap: got %d MB, want at most 256", peak.Load()>>20)
	}
}

// watchHeap records the largest heap until stop is called.
func watchHeap(t *testing.T) (peak *atomic.Uint64, stop func()) {
	t.Helper()
	peak = &atomic.Uint64{}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			peak.Store(max(peak.Load(), sample[0].Value.Uint64()))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}

// folderBytes adds up the sizes of all files below a folder.
func folderBytes(t *testing.T, elem ...string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(elem...), func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err == nil {
			sum += st.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
