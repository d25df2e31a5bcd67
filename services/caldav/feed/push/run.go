package push

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// How often is looked, and told.
const (
	look   = 2 * time.Second
	apart  = 10 * time.Second // between two messages to one program about one collection
	retry  = time.Minute      // after a fault, doubled each time
	latest = 2 * time.Hour
	atOnce = 8 // messages
)

// A told is what a program was told last.
type told struct {
	content, props store.Hash
	next           time.Time // no message before
	failures       int
}

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

// forget drops what is known of programs that are not registered on a branch any
// more.
func (s *Service) forget(owner string, list []kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.told {
		if of, _, _ := strings.Cut(id, "_"); of == owner && !slices.ContainsFunc(list, func(k kept) bool { return k.ID == id }) {
			delete(s.told, id)
		}
	}
}

// begin makes what there is now what a program knows, if nothing is known of it.
func (s *Service) begin(id string, now state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == nil {
		s.told = map[string]*told{}
	}
	if s.told[id] == nil {
		s.told[id] = &told{content: now.content, props: now.props}
	}
}

// A state is what a program can be told of.
type state struct {
	content, props store.Hash
	token          string // sync token; "" where there is none
	gone           bool   // it is not there any more, or not for this program
}

// state returns how a collection is now, for a program that may still see it.
func (s *Service) state(snap *shelf.Snapshot, k *kept) (state, error) {
	if k.Path.Collection == "" && k.Path.Kind != shelf.Inbox {
		return home(snap, k)
	}
	c, err := snap.Collection(k.Path.Kind, k.Path.Collection)
	if err != nil {
		return state{}, err
	}
	if k.User != k.Owner && c.Access(k.User) == shelf.NoAccess {
		return state{}, fs.ErrNotExist
	}
	content, props, err := c.State()
	return state{content: content, props: props, token: c.Token()}, err
}

// home is the state of the folder of a kind: its members are collections.
func home(snap *shelf.Snapshot, k *kept) (state, error) {
	if k.User != k.Owner {
		return state{}, fs.ErrNotExist
	}
	list, err := snap.Collections(k.Path.Kind)
	var names []byte
	for _, c := range list {
		names = append(names, c.Name+"\x00"...)
	}
	return state{content: object.Object{Type: object.TypeBlob, Data: names}.Hash()}, err
}

// due returns what to tell a program now. wait says that there is something to
// tell later. What it is told first is what comes after now.
func (s *Service) due(k *kept, now state, at time.Time) (m *message, wait bool) {
	s.begin(k.ID, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.told[k.ID]
	m = &message{
		content: k.Content && t.content != now.content || now.gone,
		props:   k.Properties && t.props != now.props && !now.gone,
		token:   now.token,
	}
	if !m.content && !m.props {
		return nil, false
	}
	if t.next.After(at) {
		return nil, true
	}
	return m, false
}

// note remembers what has become of a message.
func (s *Service) note(k *kept, now state, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.told[k.ID]
	if r == failed {
		t.next = s.Now().Add(min(retry<<min(t.failures, 8), latest))
		t.failures++
		return
	}
	t.content, t.props, t.failures, t.next = now.content, now.props, 0, s.Now().Add(apart)
	if r == refused {
		delete(s.told, k.ID)
	}
}

// Made says that programs of a user have made a change and do not want to be told of
// it (Push-Dont-Notify): ids, or all of the user's where there are none. before is what
// was there before the change. What others have changed is told all the same, unless it
// came at the same moment.
func (s *Service) Made(ctx context.Context, before *shelf.Snapshot, user string, ids ...string) error {
	after, err := s.Shelf.Snapshot(ctx, before.User())
	if err != nil {
		return err
	}
	list, err := s.read(before.User(), after.Tree())
	if err != nil {
		return err
	}
	for _, k := range list {
		if k.User != user || len(ids) > 0 && !slices.Contains(ids, k.ID) {
			continue
		}
		was, err1 := s.state(before, &k)
		is, err2 := s.state(after, &k)
		if err1 != nil || err2 != nil {
			continue
		}
		s.begin(k.ID, was)
		s.mu.Lock()
		if t := s.told[k.ID]; t.content == was.content && t.props == was.props {
			t.content, t.props = is.content, is.props
		}
		s.mu.Unlock()
	}
	return nil
}
