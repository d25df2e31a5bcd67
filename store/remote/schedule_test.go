package remote_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"cairn/internal/githost"
)

// How many schedules are run: few in the ordinary run.
const (
	shortSchedules = 24
	longSchedules  = 1000
)

// TestSchedules runs two replicas on one host through faults, kills, restarts and
// force-pushes, as drawn from a seed, and holds what comes of it against a model: no
// acknowledged write is lost, none is made twice, one that was not acknowledged is made at most
// once, one that was said to have failed not at all, and in the end all agree.
//
// CAIRN_SEED=n runs the schedule of that seed alone. A seed repeats what is drawn, not how
// goroutines are scheduled: -count=100 helps.
func TestSchedules(t *testing.T) {
	first, last := uint64(1), uint64(shortSchedules)
	if os.Getenv("CAIRN_LONG") != "" {
		last = longSchedules
	}
	if text := os.Getenv("CAIRN_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, last = seed, seed
	}
	// They mostly wait, so more run at a time than there are processors.
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { runSchedule(t, seed) })
			}
		})
	}
	for seed := first; seed <= last && !t.Failed(); seed++ {
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
}

func runSchedule(t *testing.T, seed uint64) {
	defer func() {
		if t.Failed() {
			t.Logf("to repeat it: CAIRN_SEED=%d go test ./store/remote -run TestSchedules", seed)
		}
	}()
	s := newSchedule(t, seed, kindOf(seed))
	s.run()
	s.verify()
}

// kindOf is the host of a seed: some have stock git.
func kindOf(seed uint64) githost.Kind {
	if seed%12 == 0 {
		return githost.PlainHTTP
	}
	return githost.Cairn
}
