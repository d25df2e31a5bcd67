package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// A Kind is a way in which a connection goes wrong.
type Kind string

// What may go wrong with a turn. Those of the first group happen After so many
// bytes of the request, or, with Back, of the answer; if there are fewer,
// nothing happens.
const (
	Cut      Kind = "cut"      // both ends see the end of the stream
	Reset    Kind = "reset"    // both ends see a reset
	Truncate Kind = "truncate" // the receiver sees the end of the stream, the sender nothing
	Stall    Kind = "stall"    // nothing passes any more, in either direction, and nobody is told
	Delay    Kind = "delay"    // the rest comes Pause later
	Trickle  Kind = "trickle"  // the rest comes in small pieces

	// The request has been served and its whole answer is lost: a reset is all
	// that the client sees.
	Drop Kind = "drop the answer"

	// Requests of HTTP/1.1 arrive once more, on another connection: DoubleFirst
	// before the one that is answered, DoubleLater Pause after that.
	DoubleFirst Kind = "double first"
	DoubleLater Kind = "double later"
)

// Kinds are all kinds.
var Kinds = []Kind{Cut, Reset, Truncate, Stall, Delay, Trickle, Drop, DoubleFirst, DoubleLater}

// A Fault is what happens to one turn. The zero value is nothing.
type Fault struct {
	Kind  Kind
	Back  bool // to the answer rather than the request
	After int  // bytes
	Pause time.Duration
}

func (f Fault) String() string {
	of := "request"
	if f.Back {
		of = "answer"
	}
	switch f.Kind {
	case "":
		return "nothing"
	case Drop, DoubleFirst:
		return string(f.Kind)
	case DoubleLater:
		return fmt.Sprintf("%s, after %v", f.Kind, f.Pause)
	case Delay:
		return fmt.Sprintf("%s of %v after %d bytes of the %s", f.Kind, f.Pause, f.After, of)
	default:
		return fmt.Sprintf("%s after %d bytes of the %s", f.Kind, f.After, of)
	}
}

// A Plan says what happens to the next turn. It may be called by several
// goroutines at once.
type Plan func() Fault

// Once is the plan of one fault, and nothing before nor after it: it happens to
// the turn that has so many before it.
func Once(before int, f Fault) Plan {
	var mu sync.Mutex
	turn := -1
	return func() Fault {
		mu.Lock()
		defer mu.Unlock()
		if turn++; turn == before {
			return f
		}
		return Fault{}
	}
}

// maxAfter is the longest part of a turn that passes before it goes wrong, in bytes.
const maxAfter = 16 << 10

// Seeded is a plan in which a share of the turns goes wrong, each in one of the
// ways. Short parts of a turn are as likely to pass as long ones, and most faults
// meet the middle of a message.
func Seeded(seed uint64, share float64, ways ...Kind) Plan {
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 1))
	return func() Fault {
		mu.Lock()
		defer mu.Unlock()
		if rnd.Float64() >= share {
			return Fault{}
		}
		return Fault{
			Kind:  ways[rnd.IntN(len(ways))],
			Back:  rnd.IntN(2) == 0,
			After: int(math.Exp(rnd.Float64()*math.Log(maxAfter))) - 1,
			Pause: time.Duration(rnd.IntN(60)) * time.Millisecond,
		}
	}
}
