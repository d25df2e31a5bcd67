package cable

import (
	"math/rand/v2"
	"time"
)

// A fate is what befalls one frame.
type fate struct {
	copies  int           // how many arrive
	jitter  time.Duration // what it takes longer than Delay
	held    time.Duration // for how long it is held back, out of its place
	comment string        // for the capture; "" when nothing happens to it
}

func lost(why string) fate { return fate{comment: why} }

// leastHeld is how long a frame is held back on a cable without delay.
const leastHeld = time.Millisecond

// decide returns the fate of the nth frame that a port sends. It draws the same
// number of times whatever the options, so that each option acts alone.
func decide(o *Options, port int, n uint64) fate {
	if o.Loss == 0 && o.Duplicate == 0 && o.Reorder == 0 && o.Jitter == 0 {
		return fate{copies: 1}
	}
	r := rand.New(rand.NewPCG(o.Seed, uint64(port)<<48^n))
	drop, double, hold, jitter := r.Float64(), r.Float64(), r.Float64(), r.Float64()
	if drop < o.Loss {
		return lost("lost")
	}
	f := fate{copies: 1, jitter: time.Duration(jitter * float64(o.Jitter))}
	if hold < o.Reorder {
		f.held = max(o.Delay+o.Jitter, leastHeld)
		f.comment = "held back"
	}
	if double < o.Duplicate {
		f.copies = 2
		f.comment = "doubled"
	}
	return f
}
