package queue

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"cairn/store"
)

// Who sends
//
// Of several processes on one repository one sends at a time: the one whose name stands in the file
// "sender", for as long as it keeps writing that anew. Another one may put its own name there when it
// has seen the file unchanged for leaseTime by its own clock, so that clocks need not agree;
// the holder stops leaseMargin earlier, counted from before it began to write. It writes only
// while it has something to send: a quiet house makes no commits.
const (
	leaseTime   = 60 * time.Second
	leaseMargin = 15 * time.Second
	leaseRenew  = 25 * time.Second // how old it is when it is renewed
	leaseFile   = "sender"
)

// A lease is our claim to be the one who sends.
type lease struct {
	branch *store.Branch
	now    func() time.Time
	name   string // ours, random
	sole   bool   // nobody else is there

	mu    sync.Mutex
	taken time.Time // when we began to write the claim that stands; zero: it is not ours
	// What somebody else has written, and since when we know.
	other store.Hash
	since time.Time
}

// A claim is what the file holds.
type claim struct {
	Sender string    `json:"sender"`
	At     time.Time `json:"at"` // for people
}

var errOther = errors.New("another process sends")

func newLease(b *store.Branch, sole bool, now func() time.Time, random [8]byte) *lease {
	return &lease{branch: b, now: now, name: hex.EncodeToString(random[:]), sole: sole}
}

// valid reports whether we may send now.
func (l *lease) valid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sole || !l.taken.IsZero() && elapsed(l.taken, l.now()) < leaseTime-leaseMargin
}

// elapsed is the time between two moments, by the monotonic clock or by that on the wall, whichever
// says more: the first stands still while a machine is suspended.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// ensure takes or renews the lease if that is due. It reports whether we may send, and in how much
// time it should be called again.
func (l *lease) ensure(ctx context.Context) (held bool, again time.Duration, err error) {
	if l.sole {
		return true, leaseTime, nil
	}
	l.mu.Lock()
	age := elapsed(l.taken, l.now())
	ours := !l.taken.IsZero()
	l.mu.Unlock()
	if ours && age < leaseRenew {
		return true, leaseRenew - age, nil
	}
	switch err := l.take(ctx); {
	case err == nil:
		return true, leaseRenew, nil
	case errors.Is(err, errOther):
		l.mu.Lock()
		defer l.mu.Unlock()
		return false, max(leaseTime-elapsed(l.since, l.now()), time.Second), nil
	default:
		return l.valid(), 5 * time.Second, err
	}
}

// take writes our claim, unless somebody else's stands.
func (l *lease) take(ctx context.Context) error {
	began := l.now()
	ch := store.Change{Message: fmt.Sprintf("queue: %s sends", l.name)}
	err := l.branch.Update(ctx, ch, func(tx *store.Tx) error {
		data, h, err := tx.Blob(leaseFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !l.mayReplace(data, h) {
			return errOther
		}
		mine, err := json.Marshal(claim{l.name, l.now().UTC()})
		if err != nil {
			return err
		}
		return tx.Put(leaseFile, append(mine, '\n'))
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.taken = began
	case errors.Is(err, errOther):
		l.taken = time.Time{}
	}
	return err
}

// mayReplace reports whether we may write over a claim: over our own, one that has stood unchanged for
// long enough, and what is none.
func (l *lease) mayReplace(data []byte, h store.Hash) bool {
	var c claim
	if json.Unmarshal(data, &c) != nil || c.Sender == "" || c.Sender == l.name {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if h != l.other {
		l.other, l.since = h, l.now()
		return false
	}
	// Here the slower clock decides: it is the safe side.
	now := l.now()
	return min(now.Sub(l.since), now.Round(0).Sub(l.since.Round(0))) >= leaseTime
}

// release takes our claim back, so that the next one need not wait.
func (l *lease) release(ctx context.Context) error {
	l.mu.Lock()
	ours := !l.taken.IsZero()
	l.taken = time.Time{}
	l.mu.Unlock()
	if !ours {
		return nil
	}
	ch := store.Change{Message: fmt.Sprintf("queue: %s sends no more", l.name)}
	return l.branch.Update(ctx, ch, func(tx *store.Tx) error {
		data, _, err := tx.Blob(leaseFile)
		var c claim
		if err != nil || json.Unmarshal(data, &c) != nil || c.Sender != l.name {
			return nil // it is not ours any more
		}
		return tx.Remove(leaseFile)
	})
}
