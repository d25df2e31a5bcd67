package remote

import (
	"errors"
	"time"

	"cairn/store/gitwire"
)

// A Kind is what an Event is about.
type Kind string

// Kinds of Event.
const (
	Pushed   Kind = "push"   // a push, whatever became of it
	Fetched  Kind = "fetch"  // objects were asked for
	Looked   Kind = "look"   // the refs were listed
	Followed Kind = "follow" // a ref that somebody else has moved is seen by reads; Took since it was noticed
)

// An Event is one thing that has happened.
type Event struct {
	Kind    Kind
	Took    time.Duration
	Refs    int   // moved or listed
	Objects int   // pushed, as far as they are counted
	Bytes   int64 // received in packs
	Err     error // nil when all went well; see Outcome
}

// An Outcome is an Event's Err in one word.
type Outcome string

// Outcomes of an Event.
const (
	Done     Outcome = "ok"
	Conflict Outcome = "conflict" // somebody else was first
	Refused  Outcome = "refused"  // by the host
	Doubt    Outcome = "doubt"    // it is not known
	Away     Outcome = "away"     // temporary, nothing has happened
	Failed   Outcome = "error"
)

// Outcome says what became of it.
func (e Event) Outcome() Outcome {
	switch rejected, ok := errors.AsType[*gitwire.RejectedError](e.Err); {
	case e.Err == nil:
		return Done
	case errors.Is(e.Err, gitwire.ErrInDoubt):
		return Doubt
	case ok && rejected.Race:
		return Conflict
	case ok:
		return Refused
	case isTemporary(e.Err):
		return Away
	}
	return Failed
}
