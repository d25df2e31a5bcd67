package push

import (
	"context"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// A told is what a program was told last.
type told struct {
	content, props store.Hash
	next           time.Time // no message before
	failures       int
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
