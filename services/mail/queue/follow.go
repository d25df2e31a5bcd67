package queue

import (
	"context"
	"time"

	"cairn/store"
)

// follow keeps the schedule as the branch is, until ctx ends.
func (s *sender) follow(ctx context.Context) {
	known := &store.Tree{}
	for ctx.Err() == nil {
		for t, err := range s.q.branch.Watch(ctx) {
			if err == nil {
				err = s.learn(ctx, known, t)
			}
			if err != nil {
				s.q.o.Log.Warn("queue: cannot read the branch", "error", err)
				break
			}
			known = t
		}
		sleep(ctx, 5*time.Second)
	}
}

// learnAtOnce is how many changes are taken in together: what a message of that many entries is.
const learnAtOnce = 10_000

// learn brings what has changed between two snapshots into the schedule.
func (s *sender) learn(ctx context.Context, old, new *store.Tree) error {
	var changes []change
	for d, err := range old.Diff(ctx, new) {
		if err != nil {
			return err
		}
		if _, _, ok := parsePath(d.Path); !ok {
			continue
		}
		c := change{path: d.Path}
		if d.New.Mode != 0 {
			e, err := s.q.readEntry(new, d.Path)
			if err != nil {
				s.q.o.Log.Error("queue: an entry cannot be read and stays as it is", "path", d.Path, "error", err)
				continue
			}
			c.time = e.timing()
		}
		if changes = append(changes, c); len(changes) == learnAtOnce {
			s.schedule.set(changes)
			changes = nil
		}
	}
	s.schedule.set(changes) // also without any: the lease may be another's now, or nobody's
	return nil
}

// sleep waits, and reports whether ctx has let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
