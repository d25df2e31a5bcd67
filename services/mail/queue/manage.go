package queue

import (
	"context"
	"iter"
	"time"

	"cairn/store/object"
)

// An Item is a part of a message that waits: its recipients of one domain.
type Item struct {
	ID       string // of the message: what Put returned
	From     string
	To       []Waiting
	Domain   string
	Size     int64
	Queued   time.Time
	Attempts int       // so far
	Next     time.Time // of the next attempt
	Held     bool
}

// A Waiting is a recipient and what was last said about it.
type Waiting struct {
	Recipient
	Answer string // "" before the first attempt
}

// List yields what waits, in no order. What cannot be read yields an error, and the rest goes on.
func (q *Queue) List(ctx context.Context) iter.Seq2[Item, error] { return nil }

// Retry has messages sent as soon as possible: those named, or with none all that are not held.
// A message that is not there is fs.ErrNotExist, here and in the others.
func (q *Queue) Retry(ctx context.Context, by object.Signature, ids ...string) error { return nil }

// Drop forgets messages. Nobody is told.
func (q *Queue) Drop(ctx context.Context, by object.Signature, ids ...string) error { return nil }

// Hold keeps messages from being sent, and from becoming too old.
func (q *Queue) Hold(ctx context.Context, by object.Signature, ids ...string) error { return nil }

// Release undoes Hold, and has them sent as soon as possible.
func (q *Queue) Release(ctx context.Context, by object.Signature, ids ...string) error { return nil }
