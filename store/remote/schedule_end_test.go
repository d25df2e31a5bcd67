package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"cairn/store"
	"cairn/store/remote"
)

// How long the replicas may take to agree when all is well, and what the host takes
// for an answer on a machine that is too slow for the replicas' little patience.
const (
	healing   = 10 * time.Second
	slowHosts = 50 * time.Millisecond
)

// converge waits until both replicas see what the host has and can write to all of
// it. They heal by themselves; only where the machine is too slow for their patience
// they are started anew with more of it.
func (s *schedule) converge() {
	ctx, end := context.WithCancel(s.t.Context())
	slowest := make(chan time.Duration, 1)
	go func() { slowest <- s.slowest(ctx) }()
	err := s.settle(healing)
	end()
	if slow := <-slowest; err != nil && slow > slowHosts {
		s.happened("the host takes up to %v to answer, and the replicas are started with more patience (%v)", slow, err)
		s.patient.Store(true)
		for _, r := range s.replicas {
			r.restart(true)
		}
		err = s.settle(2 * hangs)
	}
	if err != nil {
		s.t.Errorf("all is well, but %v", err)
	}
}

// slowest asks the host again and again and returns what it took longest to answer.
func (s *schedule) slowest(ctx context.Context) (slowest time.Duration) {
	host, err := s.host.Client(nil).Remote(s.host.URL)
	if err != nil {
		s.t.Error(err)
		return 0
	}
	defer host.Close()
	for ctx.Err() == nil {
		start := time.Now()
		if _, err := host.Refs(context.Background(), "refs/heads/b"); err != nil {
			s.t.Errorf("all is well, but %v", err)
			return 0
		}
		slowest = max(slowest, time.Since(start))
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return slowest
}

// settle has everybody agree, write, and agree on that.
func (s *schedule) settle(within time.Duration) error {
	deadline := time.Now().Add(within)
	steps := []func(*replica, string) error{s.agree, s.canWrite, s.agree}
	for _, step := range steps {
		for _, r := range s.replicas {
			for _, branch := range branches {
				for {
					err := step(r, branch)
					if err == nil {
						break
					}
					if time.Now().After(deadline) {
						return err
					}
					time.Sleep(3 * time.Millisecond)
				}
			}
		}
	}
	return nil
}

// canWrite has a replica write to a branch.
func (s *schedule) canWrite(r *replica, branch string) error {
	s.writes++
	if err := r.write(fmt.Sprint(r.name, ".last.", s.writes), branch); err != nil {
		return fmt.Errorf("%s cannot write to %s: %w", r.name, branch, err)
	}
	return nil
}

// agree says why a replica does not see what the host has. One that has
// seen what a force-push took away stays where it is and says so; an
// operator would start it anew.
func (s *schedule) agree(r *replica, branch string) error {
	l := r.now()
	if l == nil {
		return fmt.Errorf("%s: %w", r.name, errNotUp)
	}
	isIt := func(e *remote.RewoundError) bool { return e.Ref == "refs/heads/"+branch }
	if s.ledger.wasRewound(branch) && slices.ContainsFunc(l.backend.Status().Rewound, isIt) {
		r.restart(false)
		return fmt.Errorf("%s: %w", r.name, errNotUp)
	}
	host, seen, err := s.tips(l, branch)
	if err == nil && host != seen {
		err = errors.New("they do not agree")
	}
	if err != nil {
		return fmt.Errorf("%s: the host is at %v, %s at %v: %w", branch, host, r.name, seen, err)
	}
	return nil
}

// tips returns what the host has and what a replica sees.
func (s *schedule) tips(l *life, branch string) (host, seen store.Hash, err error) {
	ctx := context.Background()
	ref, err := l.backend.Ref(ctx, "refs/heads/"+branch)
	at, hostErr := s.outside.Ref(ctx, "refs/heads/"+branch)
	if errors.Is(err, fs.ErrNotExist) && errors.Is(hostErr, fs.ErrNotExist) {
		return host, seen, nil // nobody has made it
	}
	return at.Hash, ref.Hash, errors.Join(hostErr, err)
}
