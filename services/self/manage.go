package self

import (
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cairn/services/accounts"
)

// manage is the section of calendars and address books.
var manage = &section{
	path: "collections", title: "Calendars and contacts", template: "collections.html", tab: "Calendars", collections: true,
	show: func(x *visit) (any, error) {
		own, err := x.Collections.Own(x.ctx(), x.user)
		if err != nil {
			return nil, err
		}
		shared, err := x.Collections.Shared(x.ctx(), x.user)
		if err != nil {
			return nil, err
		}
		lists := &collectionLists{Shared: shared, Names: map[string]string{}}
		for _, c := range own {
			if c.Kind == Calendar {
				lists.Calendars = append(lists.Calendars, c)
			} else {
				lists.Books = append(lists.Books, c)
			}
		}
		return lists, x.nameOwners(lists)
	},
	actions: map[string]action{"collections/make": makeCollection},
}

type collectionLists struct {
	Calendars, Books, Shared []Collection
	Names                    map[string]string // user → how people call them
}

func (x *visit) nameOwners(l *collectionLists) error {
	users, err := x.people()
	for _, u := range users {
		l.Names[u.Name] = u.Signature().Name
	}
	return err
}

// people are all users. One whose record cannot be read is left out, and noted.
func (x *visit) people() ([]*accounts.User, error) {
	users, err := x.Accounts.Users(x.ctx())
	if err != nil && len(users) > 0 {
		x.log().Warn("list users", "err", err)
		err = nil
	}
	return users, err
}

// one is the page of one collection.
var one = &section{
	path: "collection", title: "Calendar", template: "collection.html", tab: "Calendars", below: true, collections: true,
	show: showOne,
	actions: map[string]action{
		"collection/set": setCollection, "collection/delete": deleteCollection, "collection/share": shareCollection,
		"collection/publish": publishCollection, "collection/link": linkCollection,
	},
}

type oneCollection struct {
	Collection
	Base   string
	People []*accounts.User  // with whom it is not shared yet
	Names  map[string]string // as in collectionLists
}

// id is the collection that a request is about.
func (x *visit) id() string {
	if x.r.PostForm.Has("id") {
		return x.field("id")
	}
	return x.r.URL.Query().Get("id")
}

func showOne(x *visit) (any, error) {
	own, err := x.Collections.Own(x.ctx(), x.user)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(own, func(c Collection) bool { return c.ID == x.id() })
	if i < 0 {
		return nil, fmt.Errorf("collection %q: %w", x.id(), fs.ErrNotExist)
	}
	users, err := x.people()
	if err != nil {
		return nil, err
	}
	c := &oneCollection{Collection: own[i], Base: x.base(x.r), Names: map[string]string{}}
	for _, u := range users {
		c.Names[u.Name] = u.Signature().Name
		shared := slices.ContainsFunc(c.Shares, func(s Share) bool { return s.With == u.Name })
		if u.Name != x.user.Name && !shared {
			c.People = append(c.People, u)
		}
	}
	return c, nil
}

var sixDigits = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// settings reads name and colour from the form.
func (x *visit) settings() (Settings, error) {
	name, err := named(x.field("name"))
	if err != nil {
		return Settings{}, err
	}
	s := Settings{Name: name, Colour: x.field("colour")}
	if s.Colour != "" && !sixDigits.MatchString(s.Colour) {
		return s, &Refusal{"That is not a colour."}
	}
	return s, nil
}

// page of a collection, for goOn.
func (x *visit) onePage() string { return "collection?" + url.Values{"id": {x.id()}}.Encode() }

// kinds are the choices of what to make.
var kinds = map[string]New{
	"calendar":    {Kind: Calendar},
	"addressbook": {Kind: AddressBook},
	"birthdays":   {Kind: Calendar, Birthdays: true},
	"follow":      {Kind: Calendar},
}

func makeCollection(x *visit) (string, string, error) {
	s, err := x.settings()
	if err != nil {
		return "", "", err
	}
	c, ok := kinds[x.field("kind")]
	if !ok {
		return "", "", &Refusal{"Please choose what to make."}
	}
	c.Settings = s
	if c.Source = strings.TrimSpace(x.field("source")); x.field("kind") != "follow" {
		c.Source = ""
	} else if c.Source == "" {
		return "", "", &Refusal{"Please give the address of the calendar to follow."}
	}
	return "made", "collections", x.Collections.Make(x.ctx(), x.user, c)
}

func setCollection(x *visit) (string, string, error) {
	s, err := x.settings()
	if err != nil {
		return "", "", err
	}
	return "saved", x.onePage(), x.Collections.Set(x.ctx(), x.user, x.id(), s)
}

func deleteCollection(x *visit) (string, string, error) {
	return "deleted", "history", x.Collections.Delete(x.ctx(), x.user, x.id())
}

func shareCollection(x *visit) (string, string, error) {
	a := Access(x.field("access"))
	if a != NoAccess && a != ReadOnly && a != ReadWrite {
		return "", "", &Refusal{"Please choose what they may do."}
	}
	with := x.field("with")
	if _, err := x.Accounts.User(x.ctx(), with); a != NoAccess && (err != nil || with == x.user.Name) {
		return "", "", &Refusal{"Please choose somebody to share it with."}
	}
	return "shared", x.onePage(), x.Collections.Share(x.ctx(), x.user, x.id(), with, a)
}

func publishCollection(x *visit) (string, string, error) {
	on := x.field("on") == "yes"
	done := "hidden"
	if on {
		done = "published"
	}
	return done, x.onePage(), x.Collections.Publish(x.ctx(), x.user, x.id(), on)
}

func linkCollection(x *visit) (string, string, error) {
	on := x.field("on") == "yes"
	done := "nolink"
	if on {
		done = "link"
	}
	return done, x.onePage(), x.Collections.Link(x.ctx(), x.user, x.id(), on)
}
