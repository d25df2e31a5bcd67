package dav

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/feed"
	"cairn/services/caldav/publish"
	"cairn/services/caldav/shelf"
	"cairn/services/self"
)

// collections is what people can do with their calendars and address books on
// their page. It implements self.Collections.
type collections struct {
	shelf *shelf.Shelf
	feed  *feed.Service
}

var kinds = map[shelf.Kind]self.Kind{shelf.Calendars: self.Calendar, shelf.Contacts: self.AddressBook}

// Own implements self.Collections.
func (c *collections) Own(ctx context.Context, u *accounts.User) ([]self.Collection, error) {
	snap, err := c.shelf.Snapshot(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	var list []self.Collection
	for _, kind := range []shelf.Kind{shelf.Calendars, shelf.Contacts} {
		all, err := snap.Collections(kind)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			d, err := c.describe(s)
			if err != nil {
				return nil, err
			}
			d.Access = self.ReadWrite
			d.Page, d.Feed, d.Link = publish.Path(s), feed.Public(s), c.feed.Link(s)
			if from := s.Props().Source; from != nil {
				d.Source, d.Trouble = from.URL, from.Error
			}
			for _, with := range s.Props().Users() {
				d.Shares = append(d.Shares, self.Share{With: with, Access: access(s.Access(with))})
			}
			list = append(list, d)
		}
	}
	return list, nil
}

// Shared implements self.Collections.
func (c *collections) Shared(ctx context.Context, u *accounts.User) ([]self.Collection, error) {
	shared, err := c.shelf.SharedWith(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	var list []self.Collection
	for _, s := range shared {
		snap, err := c.shelf.Snapshot(ctx, s.Owner)
		if err != nil {
			return nil, err
		}
		theirs, err := snap.Collection(s.Kind, s.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has gone in this moment
		}
		if err != nil {
			return nil, err
		}
		d, err := c.describe(theirs)
		if err != nil {
			return nil, err
		}
		d.Access = access(s.Access)
		list = append(list, d)
	}
	return list, nil
}

// describe says of a collection what everybody may know who may read it.
func (c *collections) describe(s *shelf.Collection) (self.Collection, error) {
	usage, err := s.Usage()
	if err != nil {
		return self.Collection{}, err
	}
	p := s.Props()
	name := p.DisplayName
	if name == "" {
		name = s.Name
	}
	colour := p.Color
	if len(colour) == len("#rrggbbaa") {
		colour = colour[:len("#rrggbb")]
	}
	return self.Collection{
		ID:        string(s.Kind) + "/" + s.Name,
		Kind:      kinds[s.Kind],
		Owner:     s.User(),
		Settings:  self.Settings{Name: name, Colour: colour},
		Items:     usage.Count,
		Birthdays: p.Birthdays,
	}, nil
}

func access(a shelf.Access) self.Access {
	switch a {
	case shelf.Read:
		return self.ReadOnly
	case shelf.ReadWrite:
		return self.ReadWrite
	}
	return self.NoAccess
}

// parseID is the path of a collection that the page names.
func parseID(id string) (shelf.Path, error) {
	kind, name, ok := strings.Cut(id, "/")
	p := shelf.Path{Kind: shelf.Kind(kind), Collection: name}
	if !ok || name == "" || kinds[p.Kind] == "" {
		return p, fmt.Errorf("collection %q: %w", id, fs.ErrNotExist)
	}
	return p, nil
}
