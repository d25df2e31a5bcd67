package setup

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1: 400, 8 << 20: 400, 16 << 20: 200, 32 << 20: 100, 40 << 20: 80, 1 << 40: 75} {
		if got := growth(live); got != want {
			t.Errorf("%d MiB live: got %d %%, want %d %%", live>>20, got, want)
		}
	}
}

// TestBoundHeap has much live, of which the next collection makes less be wasted.
func TestBoundHeap(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	BoundHeap(t.Context())
	much := make([]byte, 128<<20)
	set := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	deadline := time.Now().Add(time.Minute)
	for {
		runtime.GC()
		metrics.Read(set)
		if set[0].Value.Uint64() == leastGrown {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d %%, want %d %%", set[0].Value.Uint64(), leastGrown)
		}
		time.Sleep(time.Millisecond)
	}
	runtime.KeepAlive(much)
}
