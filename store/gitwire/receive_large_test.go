package gitwire

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// A large push is not held in memory, nor is a large fetch.
func TestLargePush(t *testing.T) {
	size, bound := int64(24<<20), uint64(24<<20)
	if long() {
		size, bound = 500<<20, 96<<20
	}
	l := labOver(t, "gitdir")
	dir := l.clone(l.http)
	writeRandom(t, filepath.Join(dir, "large"), size)
	writeRandom(t, filepath.Join(dir, "small"), size/16)
	l.git(dir, "config", "core.compression", "0")
	l.git(dir, "config", "core.bigFileThreshold", "1m")
	tip := l.commit(dir)

	grown := heapGrowth(func() { l.git(dir, "push", "-q", "origin", "main") })
	l.want("refs/heads/main", tip)
	if grown > bound {
		t.Errorf("heap grown by a push of %d MiB: got %d MiB, want at most %d", size>>20, grown>>20, bound>>20)
	}
	t.Logf("heap grown by a push of %d MiB: %d MiB", size>>20, grown>>20)

	grown = heapGrowth(func() { l.git(t.TempDir(), "clone", "-q", "--bare", l.http, "x") })
	if grown > bound {
		t.Errorf("heap grown by a clone of %d MiB: got %d MiB, want at most %d", size>>20, grown>>20, bound>>20)
	}
	l.fsck()
}

func writeRandom(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	var seed [32]byte
	copy(seed[:], strconv.FormatInt(size, 10))
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := io.CopyN(w, rand.NewChaCha8(seed), size); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// heapGrowth is by how much the heap is larger, at most, while f runs.
func heapGrowth(f func()) uint64 {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	runtime.GC()
	before, peak := heap(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak = max(peak, heap())
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return max(peak, before) - before
}
