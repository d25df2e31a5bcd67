package measure

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// Heap records the largest heap, in bytes of objects, that this process has
// until stop is called.
func Heap() (stop func() float64) {
	runtime.GC()
	var (
		peak uint64
		done = make(chan struct{})
		wg   sync.WaitGroup
	)
	wg.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() float64 {
		close(done)
		wg.Wait()
		return float64(peak)
	}
}

// Live is how many bytes of objects are left in the heap when what nobody uses is gone.
func Live() float64 {
	runtime.GC()
	runtime.GC() // pools let go of what they have in the second round
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}
