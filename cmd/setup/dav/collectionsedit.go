package dav

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/feed"
	"cairn/services/caldav/shelf"
	"cairn/services/self"
	"cairn/store"
)

// Make implements self.Collections.
func (c *collections) Make(ctx context.Context, u *accounts.User, what self.New) error {
	where := shelf.Calendars
	if what.Kind == self.AddressBook {
		where = shelf.Contacts
	}
	props := &shelf.Props{DisplayName: what.Name, Color: what.Colour, Birthdays: what.Birthdays}
	if what.Source != "" {
		address, err := feed.ParseSource(what.Source)
		if err != nil {
			return &self.Refusal{Text: "That cannot be followed: " + err.Error() + "."}
		}
		props.Source = &shelf.Source{URL: address}
	}
	return c.update(ctx, u, "Make "+what.Name, func(e *shelf.Edit) error {
		name, err := freeName(e, where, what.Name)
		if err != nil {
			return err
		}
		return e.Make(shelf.Path{Kind: where, Collection: name}, props)
	})
}

// freeName is a name for a collection that is fit to be typed and is not taken.
func freeName(e *shelf.Edit, kind shelf.Kind, called string) (string, error) {
	slug := strings.Trim(strings.Join(strings.FieldsFunc(strings.ToLower(called), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-"), "-")
	if slug == "" {
		slug = string(kind)
	}
	slug = slug[:min(len(slug), 40)]
	for n := 1; ; n++ {
		name := slug
		if n > 1 {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		_, err := e.Collection(kind, name)
		if errors.Is(err, fs.ErrNotExist) && name != shelf.Conflicts {
			return name, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
}

// Set implements self.Collections.
func (c *collections) Set(ctx context.Context, u *accounts.User, id string, s self.Settings) error {
	return c.set(ctx, u, id, "Change settings of "+id, func(p *shelf.Props) error {
		p.DisplayName, p.Color = s.Name, s.Colour
		return nil
	})
}

// Delete implements self.Collections.
func (c *collections) Delete(ctx context.Context, u *accounts.User, id string) error {
	p, err := parseID(id)
	if err != nil {
		return err
	}
	return c.update(ctx, u, "Delete "+id, func(e *shelf.Edit) error { return e.Remove(p) })
}

// Share implements self.Collections.
func (c *collections) Share(ctx context.Context, u *accounts.User, id, with string, a self.Access) error {
	what := "Share " + id + " with " + with
	if a == self.NoAccess {
		what = "Share " + id + " with " + with + " no longer"
	}
	return c.set(ctx, u, id, what, func(p *shelf.Props) error {
		if p.Shares == nil {
			p.Shares = map[string]shelf.Access{}
		}
		switch a {
		case self.ReadOnly:
			p.Shares[with] = shelf.Read
		case self.ReadWrite:
			p.Shares[with] = shelf.ReadWrite
		default:
			delete(p.Shares, with)
		}
		return nil
	})
}

// Publish implements self.Collections.
func (c *collections) Publish(ctx context.Context, u *accounts.User, id string, on bool) error {
	return c.set(ctx, u, id, "Publish "+id, func(p *shelf.Props) error {
		p.Public = on
		return nil
	})
}

// Link implements self.Collections.
func (c *collections) Link(ctx context.Context, u *accounts.User, id string, on bool) error {
	nonce := ""
	if on {
		nonce = rand.Text()
	}
	return c.set(ctx, u, id, "Change the secret address of "+id, func(p *shelf.Props) error {
		p.Nonce = nonce
		return nil
	})
}

// set changes the properties of a collection.
func (c *collections) set(ctx context.Context, u *accounts.User, id, what string, f func(*shelf.Props) error) error {
	path, err := parseID(id)
	if err != nil {
		return err
	}
	return c.update(ctx, u, what, func(e *shelf.Edit) error {
		s, err := e.Collection(path.Kind, path.Collection)
		if err != nil {
			return err
		}
		p := s.Props().Clone()
		if err := f(p); err != nil {
			return err
		}
		return e.SetProps(path, p)
	})
}

// update makes one commit in the person's name.
func (c *collections) update(ctx context.Context, u *accounts.User, what string, f func(*shelf.Edit) error) error {
	ch := store.Change{Author: u.Signature(), Message: subject(what)}
	err := c.shelf.Update(ctx, ch, []string{u.Name}, func(edits map[string]*shelf.Edit) error { return f(edits[u.Name]) })
	if bad, ok := errors.AsType[*shelf.NameError](err); ok {
		return &self.Refusal{Text: bad.Error()}
	}
	if errors.Is(err, shelf.ErrTooManyProps) {
		return &self.Refusal{Text: "That is too much for one calendar: take something else away first."}
	}
	return err
}

// subject makes the first line of a commit's message of a text from outside.
func subject(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ") + "\n"
}
