package unipi

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// A Fetch brings a site's branches up to date with its remote. changed says that
// one of them moved.
type Fetch func(ctx context.Context) (changed bool, err error)

// A Follower keeps a site that comes from elsewhere up to date: it fetches when
// it is woken, when the remote was not asked for Every, and after an
// error again with growing pauses. Its fields are set before Run.
type Follower struct {
	Fetch Fetch

	// Every is how often the remote is asked unwoken; 0 means five minutes.
	Every time.Duration

	// Timeout bounds one Fetch; 0 means ten minutes.
	Timeout time.Duration

	// Log is told of every fetch that changed something or failed. Required.
	Log *slog.Logger

	wake chan struct{}
}

// NewFollower returns a Follower that can be woken.
func NewFollower(fetch Fetch, log *slog.Logger) *Follower {
	return &Follower{Fetch: fetch, Log: log, wake: make(chan struct{}, 1)}
}

// Pauses after errors: the first, doubled by each that follows, and the longest.
const (
	firstPause = 5 * time.Second
	longPause  = time.Hour
)

// minGap is the least time between two fetches, however often it is woken.
const minGap = 2 * time.Second

// Wake makes Run fetch soon. Many wakes while one fetch is under way are one.
func (f *Follower) Wake() {
	select {
	case f.wake <- struct{}{}:
	default: // one is waiting already
	}
}

// Run fetches at once and then follows the remote until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	every := f.Every
	if every <= 0 {
		every = 5 * time.Minute
	}
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		changed, err := f.once(ctx)
		pause := every
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			pause = backOff(failures)
			f.Log.Warn("remote could not be fetched", "err", err, "retry", pause.Round(time.Second))
		default:
			failures = 0
			if changed {
				f.Log.Info("remote has news", "took", time.Since(began).Round(time.Millisecond))
			}
		}
		if !f.wait(ctx, pause) {
			return
		}
	}
}

func (f *Follower) once(ctx context.Context) (bool, error) {
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f.Fetch(ctx)
}

// backOff returns the pause after so many failures in a row, give or take a
// quarter, so that a thousand followers do not come back together.
func backOff(failures int) time.Duration {
	d := firstPause
	for range failures - 1 {
		if d *= 2; d >= longPause {
			d = longPause
			break
		}
	}
	return d - d/4 + rand.N(d/2)
}

// wait returns when it is time to fetch again; false: ctx has ended.
func (f *Follower) wait(ctx context.Context, pause time.Duration) bool {
	gap := time.NewTimer(min(minGap, pause))
	defer gap.Stop()
	select {
	case <-gap.C:
	case <-ctx.Done():
		return false
	}
	t := time.NewTimer(max(pause-minGap, 0))
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.wake:
	case <-ctx.Done():
		return false
	}
	return true
}
