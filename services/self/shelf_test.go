package self

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"cairn/services/accounts"
)

// A shelf is Collections in memory. Its changes are those of alice.
type shelf struct {
	mu      sync.Mutex
	own     map[string][]Collection // by user
	changes []Change
	undone  []string
	fails   error // what every method returns, if it is set
	links   int
}

func newShelf() *shelf {
	return &shelf{own: map[string][]Collection{
		"alice": {
			{ID: "calendars/home", Kind: Calendar, Owner: "alice", Settings: Settings{"Home", "#aa0000"}, Items: 3, Access: ReadWrite},
			{ID: "contacts/friends", Kind: AddressBook, Owner: "alice", Settings: Settings{"Friends", ""}, Items: 1, Access: ReadWrite},
		},
		"bob": {{ID: "calendars/work", Kind: Calendar, Owner: "bob", Settings: Settings{"Bob's work", "#00aa00"}, Access: ReadWrite,
			Shares: []Share{{"alice", ReadOnly}}}},
	}, changes: []Change{{ID: "c1", When: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), What: "Deleted “Lunch” from Home", Undo: true},
		{ID: "c0", When: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Who: "bob", What: "Something by hand"}}}
}

func (s *shelf) Own(_ context.Context, u *accounts.User) ([]Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.own[u.Name]), s.fails
}

func (s *shelf) Shared(_ context.Context, u *accounts.User) ([]Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Collection
	for _, list := range s.own {
		for _, c := range list {
			for _, with := range c.Shares {
				if with.With == u.Name {
					c.Access, c.Shares = with.Access, nil
					all = append(all, c)
				}
			}
		}
	}
	return all, s.fails
}

func (s *shelf) Make(_ context.Context, u *accounts.User, c New) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[u.Name] = append(s.own[u.Name], Collection{ID: string(c.Kind) + "/" + c.Name, Kind: c.Kind, Owner: u.Name, Settings: c.Settings,
		Source: c.Source, Birthdays: c.Birthdays, Access: ReadWrite})
	return s.fails
}

// edit changes one collection.
func (s *shelf) edit(u *accounts.User, id string, f func(*Collection)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.own[u.Name]
	i := slices.IndexFunc(list, func(c Collection) bool { return c.ID == id })
	if i < 0 {
		return fmt.Errorf("%s: %w", id, fs.ErrNotExist)
	}
	f(&list[i])
	return s.fails
}

func (s *shelf) Set(_ context.Context, u *accounts.User, id string, set Settings) error {
	return s.edit(u, id, func(c *Collection) { c.Settings = set })
}

func (s *shelf) Delete(_ context.Context, u *accounts.User, id string) error {
	err := s.edit(u, id, func(*Collection) {})
	if err == nil {
		s.own[u.Name] = slices.DeleteFunc(s.own[u.Name], func(c Collection) bool { return c.ID == id })
	}
	return err
}

func (s *shelf) Share(_ context.Context, u *accounts.User, id, with string, a Access) error {
	return s.edit(u, id, func(c *Collection) {
		c.Shares = slices.DeleteFunc(slices.Clone(c.Shares), func(s Share) bool { return s.With == with })
		if a != NoAccess {
			c.Shares = append(c.Shares, Share{with, a})
		}
	})
}

func (s *shelf) Publish(_ context.Context, u *accounts.User, id string, on bool) error {
	return s.edit(u, id, func(c *Collection) {
		c.Page, c.Feed = "", ""
		if on {
			c.Page, c.Feed = "/public/"+u.Name+"/x/", "/public/"+u.Name+"/x.ics"
		}
	})
}

func (s *shelf) Link(_ context.Context, u *accounts.User, id string, on bool) error {
	return s.edit(u, id, func(c *Collection) {
		c.Link = ""
		if on {
			s.links++
			c.Link = fmt.Sprintf("/feed/secret%d.ics", s.links)
		}
	})
}

func (s *shelf) Changes(_ context.Context, u *accounts.User, n int) ([]Change, error) {
	if u.Name != "alice" {
		return nil, s.fails
	}
	return s.changes[:min(n, len(s.changes))], s.fails
}

func (s *shelf) Undo(_ context.Context, u *accounts.User, change string) error {
	if u.Name != "alice" || change != "c1" {
		return fmt.Errorf("%s: %w", change, fs.ErrNotExist)
	}
	if slices.Contains(s.undone, change) {
		return &Refusal{"It was changed again since."}
	}
	s.undone = append(s.undone, change)
	return s.fails
}
