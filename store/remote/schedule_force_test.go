package remote_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// rewind has the stranger take commits out of a branch and put one of his own in
// their place.
func (s *schedule) rewind(branch string) {
	s.forcing.Lock()
	defer s.forcing.Unlock()
	if s.well {
		return
	}
	ctx := context.Background()
	name := store.RefChange{Name: "refs/heads/" + branch}
	for range 100 {
		tip, err := s.outside.Ref(ctx, name.Name)
		if err != nil {
			return // it does not exist yet
		}
		base, err := s.back(tip.Hash, 1+s.forced.IntN(3))
		if err != nil {
			s.t.Error(err)
			return
		}
		id := fmt.Sprint("stranger.", s.made.Add(1))
		scratch := "scratch/" + id
		made := patiently(func() error {
			return s.outside.Commit(ctx, nil, []store.RefChange{{Name: "refs/heads/" + scratch, New: base}})
		})
		err = errors.Join(made, patiently(func() error { return s.stranger.Branch(scratch).Update(ctx, change(id), note(id)) }))
		own, refErr := s.outside.Ref(ctx, "refs/heads/"+scratch)
		if err := errors.Join(err, refErr); err != nil {
			s.t.Errorf("the stranger's force-push: %v", err)
			return
		}
		name.Old, name.New = tip.Hash, own.Hash
		s.ledger.begin(id, branch)
		err = patiently(func() error {
			return s.outside.Commit(ctx, nil, []store.RefChange{name, {Name: "refs/heads/" + scratch, Old: own.Hash}})
		})
		if err == nil {
			total.events.add("force-push", 1)
			s.happened("%s is rewound from %v by way of %v to %v", branch, tip.Hash, base, own.Hash)
			s.ledger.rewound(s.stranger, branch, tip.Hash, own.Hash)
			s.ledger.end(id, acknowledged, nil)
			return
		}
		s.ledger.end(id, failed, err)
	}
}

// rewindAfter has the stranger rewind a branch now and then as soon as a push of it has not simply succeeded,
// before the replica looks what has become of it.
func (s *schedule) rewindAfter(push gitwire.PushRequest) {
	if s.seed%5 != 2 {
		return
	}
	s.forcing.Lock()
	n, i := s.forced.IntN(4), s.forced.IntN(len(push.Commands))
	s.forcing.Unlock()
	if branch, ok := strings.CutPrefix(push.Commands[i].Name, "refs/heads/"); ok && n == 0 {
		s.rewind(branch)
	}
}

// back follows first parents.
func (s *schedule) back(h store.Hash, steps int) (store.Hash, error) {
	for range steps {
		o, err := s.outside.Object(context.Background(), h)
		if err != nil {
			return h, err
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil || len(c.Parents) == 0 {
			return h, err
		}
		h = c.Parents[0]
	}
	return h, nil
}
