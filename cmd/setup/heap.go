package setup

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How far the heap grows beyond what lives in it before it is collected.
const (
	heapRoom   = 32 << 20 // bytes, where that is more than the least and less than the most
	leastGrown = 75       // percent of what lives
	mostGrown  = 400
)

// BoundHeap sets how often garbage is collected until ctx ends: seldom while little
// lives, which leaves the processor to requests, and more often the more there is, so
// that the process stays near what its caches take.
func BoundHeap(ctx context.Context) {
	debug.SetGCPercent(mostGrown)
	afterCollection(ctx, mostGrown)
}

// afterCollection looks again when garbage has been collected next. set is the percentage now.
func afterCollection(ctx context.Context, set int) {
	type mark struct{ _ *byte }
	runtime.AddCleanup(new(mark), func(set int) {
		if ctx.Err() != nil {
			return
		}
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		want := growth(sample[0].Value.Uint64())
		if d := want - set; d > set/8 || -d > set/8 { // setting it stops the world for a moment
			set = want
			debug.SetGCPercent(set)
		}
		afterCollection(ctx, set)
	}, set)
}

// growth is by how many percent a heap may grow of which live bytes live.
func growth(live uint64) int {
	if live == 0 {
		return mostGrown
	}
	return int(min(max(heapRoom*100/live, leastGrown), mostGrown))
}
