package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/caldav/shelf"
)

// A davPlace is something of somebody's calendars and contacts, as a person types
// it: alice, alice/calendars, alice/calendars/home, alice/calendars/home/lunch.ics.
type davPlace struct {
	user string
	path shelf.Path
}

// String is the place as it is typed.
func (p davPlace) String() string {
	text := p.user
	for _, part := range []string{string(p.path.Kind), p.path.Collection, p.path.Name} {
		if part != "" {
			text += "/" + part
		}
	}
	return text
}

// errPlace says what a place looks like.
const errPlace = "%q names nothing: write alice/calendars/home, alice/contacts/friends or alice/calendars/home/lunch.ics"

// parseDavPlace reads a place.
func parseDavPlace(text string) (davPlace, error) {
	user, rest, _ := strings.Cut(strings.Trim(text, "/"), "/")
	kind, rest, _ := strings.Cut(rest, "/")
	name, resource, _ := strings.Cut(rest, "/")
	p := davPlace{user, shelf.Path{Kind: shelf.Kind(kind), Collection: name, Name: resource}}
	switch p.path.Kind {
	case shelf.Calendars, shelf.Contacts:
	case shelf.Inbox:
		p.path = shelf.Path{Kind: shelf.Inbox, Name: strings.TrimPrefix(name+"/"+resource, "/")}
		p.path.Name = strings.TrimSuffix(p.path.Name, "/")
	case "":
		if user == "" {
			return p, fmt.Errorf(errPlace, text)
		}
	default:
		return p, fmt.Errorf(errPlace, text)
	}
	return p, nil
}

// parseCollection reads a place like alice/home, or alice/calendars/home, that is
// a collection of one kind.
func parseCollection(text string, kind shelf.Kind) (davPlace, error) {
	parts := strings.Split(strings.Trim(text, "/"), "/")
	if len(parts) == 3 && parts[1] == string(kind) {
		parts = []string{parts[0], parts[2]}
	}
	if len(parts) != 2 || parts[0] == "" || parts[1] == "" {
		return davPlace{}, fmt.Errorf("%q is none of somebody's %s: write alice/%s", text, kind, map[shelf.Kind]string{shelf.Calendars: "home", shelf.Contacts: "friends"}[kind])
	}
	return davPlace{parts[0], shelf.Path{Kind: kind, Collection: parts[1]}}, nil
}

// resolve replaces an e-mail address by the user's name. Somebody who is not there, and
// has left nothing either, is a slip of the pen.
func (h *house) resolve(ctx context.Context, p *davPlace) error {
	u, err := h.accounts.Find(ctx, p.user)
	if err == nil {
		p.user = u.Name
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := h.shelf.Branch(p.user).Tree(ctx); err == nil && !strings.Contains(p.user, "/") {
		return nil // whose user was removed: what they had is still there
	}
	return fmt.Errorf("there is no user %q: `cairn user list` shows who there is", p.user)
}
