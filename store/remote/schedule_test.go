package remote_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"cairn/internal/githost"
)

// How many schedules are run: few in the ordinary run.
const (
	shortSchedules = 24
	longSchedules  = 1000
)

// reserve is what is left of the package's time when no more schedules are begun.
const reserve = 5 * time.Minute

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
	for range 8 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { runSchedule(t, seed) })
			}
		})
	}
	begun := time.Now()
	for seed := first; seed <= last && !t.Failed(); seed++ {
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < reserve {
			t.Logf("the machine is slow: of %d schedules only %d have been run", last-first+1, seed-first)
			break
		}
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
	t.Logf("in %v: writes %v; events %v", time.Since(begun).Round(time.Second), &total.outcomes, &total.events)
	for _, o := range []outcome{acknowledged, unknown, failed} {
		if last > first && total.outcomes.of[string(o)] == 0 {
			t.Errorf("no write was %s: the schedules try too little", o)
		}
	}
}

// total is what has happened in all schedules.
var total struct{ outcomes, events tally }

// A tally counts things by name.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (c *tally) add(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[name] += n
}

// String implements fmt.Stringer.
func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.of)
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
