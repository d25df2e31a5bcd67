// Package publish shows the public calendars of a shelf as pages of the web, each at
// /public/<user>/<name>/:
//
//	p := &publish.Service{Shelf: s, Accounts: people, Base: "https://dav.example.org", Now: time.Now}
//	mux.Handle("/public/", p)
//
// What such a page shows and leaves out, package page says. What is not public, what
// is not there, and what belonged to somebody who has gone, is 404 alike.
package publish

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"cairn/services/accounts"
	"cairn/services/caldav/feed"
	"cairn/services/caldav/page"
	"cairn/services/caldav/shelf"
)

// A Service is an http.Handler for what is below /public/, feeds aside. Its fields are
// set before it is used.
type Service struct {
	Shelf    *shelf.Shelf
	Accounts *accounts.Accounts
	Base     string           // address of the host, "https://dav.example.org"; empty: the one that the page was asked at
	Now      func() time.Time // the clock
	Log      *slog.Logger     // default: discard

	once  sync.Once
	turns chan struct{} // one for each that may be at work at a time
}

// atWork is how many pages are made at a time: strangers ask for them.
const atWork = 2

const prefix = "/public/"

// Path returns the path of a calendar's page, "" when it has none.
func Path(c *shelf.Collection) string {
	if !c.Props().Public || c.Kind != shelf.Calendars {
		return ""
	}
	return prefix + url.PathEscape(c.User()) + "/" + url.PathEscape(c.Name) + "/"
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	c, owner, err := s.find(ctx, r.URL.EscapedPath())
	switch {
	case err == nil && !strings.HasSuffix(r.URL.Path, "/"):
		http.Redirect(w, r, Path(c), http.StatusSeeOther)
	case err == nil:
		s.show(w, r, c, owner)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		http.NotFound(w, r)
	case ctx.Err() != nil: // nobody is there any more
	default:
		s.log().Error("show calendar", "err", err)
		http.Error(w, "the calendar cannot be read at the moment", http.StatusServiceUnavailable)
	}
}

// find returns the public calendar of an escaped path and whose it is.
func (s *Service) find(ctx context.Context, path string) (*shelf.Collection, *accounts.User, error) {
	rest, ok := strings.CutPrefix(path, prefix)
	user, name, two := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	user, err1 := url.PathUnescape(user)
	name, err2 := url.PathUnescape(name)
	if !ok || !two || err1 != nil || err2 != nil || !accounts.ValidName(user) {
		return nil, nil, fs.ErrNotExist
	}
	owner, err := s.Accounts.User(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	snap, err := s.Shelf.Snapshot(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	c, err := snap.Collection(shelf.Calendars, name)
	if err == nil && Path(c) == "" {
		err = fs.ErrNotExist
	}
	return c, owner, err
}

// show answers with the page, when it is its turn.
func (s *Service) show(w http.ResponseWriter, r *http.Request, c *shelf.Collection, owner *accounts.User) {
	s.once.Do(func() { s.turns = make(chan struct{}, atWork) })
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-r.Context().Done():
		return
	}
	props, zone := c.Props(), zoneOf(c)
	p := &page.Page{
		Name: props.DisplayName, Description: props.Description, Colour: props.Color, Owner: owner.Signature().Name,
		Path: Path(c), Feed: s.base(r) + feed.Public(c), Zone: zone, Tag: c.CTag() + " " + owner.Signature().Name,
		Now: s.Now, Events: events(c, zone), Log: s.Log,
	}
	if p.Name == "" {
		p.Name = c.Name
	}
	p.ServeHTTP(w, r)
}

// base is the address of the host that the page is at, without a slash at its end.
func (s *Service) base(r *http.Request) string {
	if s.Base != "" {
		return strings.TrimSuffix(s.Base, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
