package push

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// How often is looked, and told.
const (
	look   = 2 * time.Second
	apart  = 10 * time.Second // between two messages to one program about one collection
	retry  = time.Minute      // after a fault, doubled each time
	latest = 2 * time.Hour
	atOnce = 8 // messages
)

// Run tells programs of changes until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.round(ctx); err != nil && ctx.Err() == nil {
			s.log().Error("push", "err", err)
		}
		t.Reset(look)
	}
}

// round looks at every branch.
func (s *Service) round(ctx context.Context) error {
	people, err := s.Shelf.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := s.person(ctx, p); err != nil {
			return fmt.Errorf("push for %q: %w", p.Name, err)
		}
	}
	return nil
}

// person looks at a branch that has moved, or where something is left to tell.
func (s *Service) person(ctx context.Context, p shelf.Person) error {
	s.mu.Lock()
	seen := s.tips[p.Name] == p.Tip
	s.mu.Unlock()
	if seen {
		return nil
	}
	t, err := s.Shelf.Repo().Tree(ctx, p.Tip)
	if err != nil {
		return err
	}
	list, err := s.read(p.Name, t)
	if err != nil {
		return err
	}
	left, err := s.tell(ctx, s.Shelf.View(p.Name, t), list)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tips == nil {
		s.tips = map[string]store.Hash{}
	}
	if s.tips[p.Name] = p.Tip; left {
		delete(s.tips, p.Name)
	}
	return nil
}

// tell sends what there is to tell to each program, and reports whether something is
// left for later.
func (s *Service) tell(ctx context.Context, snap *shelf.Snapshot, list []kept) (left bool, err error) {
	now := s.Now()
	var g errgroup.Group
	g.SetLimit(atOnce)
	results := make([]result, len(list))
	for i, k := range list {
		if !k.Expires.After(now) {
			continue
		}
		state, err := s.state(snap, &k)
		if errors.Is(err, fs.ErrNotExist) {
			state.gone, err = true, nil // which is the last that there is to tell
		}
		if err != nil {
			return false, err
		}
		m, wait := s.due(&k, state, now)
		left = left || wait
		if m == nil {
			continue
		}
		m.topic = s.Topic(k.Owner, k.Path)
		g.Go(func() error {
			r := s.send(ctx, &k, m)
			if r == sent && state.gone {
				r = refused
			}
			s.note(&k, state, r)
			results[i] = r
			return nil
		})
	}
	g.Wait()
	s.forget(snap.User(), list)
	var dead []string
	for i, r := range results {
		left = left || r == failed
		if r == refused {
			dead = append(dead, list[i].ID)
		}
	}
	if len(dead) > 0 {
		err = s.change(ctx, snap.User(), "A program is not there any more", func(list []kept) ([]kept, error) {
			return slices.DeleteFunc(list, func(k kept) bool { return slices.Contains(dead, k.ID) }), nil
		})
	}
	return left, err
}
