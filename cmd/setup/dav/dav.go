// Package dav puts calendars and contacts on the web: the protocol at /, and at
// /self/ the page on which people look after themselves.
package dav

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/caldav"
	"cairn/services/caldav/feed"
	"cairn/services/caldav/feed/push"
	"cairn/services/caldav/publish"
	"cairn/services/caldav/shelf"
	"cairn/services/monitor"
	"cairn/services/secrets"
	"cairn/services/self"
	"cairn/store"
)

// Port is where calendars and contacts are served.
var Port = libos.Port{Name: "dav", Host: "127.0.0.1:8082", Own: ":8082", Help: "Where calendars and contacts are served; off loopback only over TLS."}

// A Dav is what serves calendars and contacts. Its fields are set before Handler is
// called.
type Dav struct {
	Shelf    *shelf.Shelf
	Accounts *accounts.Accounts
	Secrets  *secrets.Secrets // from which keys are derived
	Base     string           // URL under which devices reach it, without a slash at its end; empty: the one that a page was asked at
	TLS      bool             // it is served over TLS
	Client   *http.Client     // reaches what users name, and nothing but the public internet
	Watch    *monitor.Monitor
	Log      *slog.Logger

	// Invite and Mail are what mail has to do with it; nil where no mail is served.
	Invite caldav.Inviter
	Mail   func(context.Context, *accounts.User) *self.Mail

	protocol *caldav.Service
	follow   *feed.Follower
	push     *push.Service
}

// shelfBytes is what a shelf takes of the memory for what it remembers.
const shelfBytes = 24 << 20

// OpenShelf returns the shelf of a repository, with the key that follows from the
// seed.
func OpenShelf(env libos.Env, repo *store.Repo, people *accounts.Accounts, keys *secrets.Secrets) (*shelf.Shelf, error) {
	key, err := keys.Derive("dav sync tokens", 32)
	if err != nil {
		return nil, err
	}
	known := func(ctx context.Context, user string) bool {
		_, err := people.User(ctx, user)
		return !errors.Is(err, fs.ErrNotExist)
	}
	return shelf.New(repo, shelf.Options{Now: time.Now, Key: [32]byte(key), Known: known, CacheBytes: env.Share(shelfBytes, 8), Log: env.Log}), nil
}

// selfPath is where the page is on which people look after themselves.
const selfPath = "/self"

// Handler returns what answers at the root of a host. It is called once.
func (d *Dav) Handler() (http.Handler, error) {
	pushes, err := d.Secrets.Derive("webdav push", 32)
	if err != nil {
		return nil, err
	}
	d.follow = &feed.Follower{Shelf: d.Shelf, Client: d.Client, Now: time.Now, Log: d.Log}
	d.push = &push.Service{Shelf: d.Shelf, Client: d.Client, Key: [32]byte(pushes), Rand: rand.Reader, Now: time.Now, Contact: contact(d.Base), Log: d.Log}
	key, err := d.Secrets.Derive("self-service sessions", 32)
	if err != nil {
		return nil, err
	}
	links, err := d.Secrets.Derive("calendar feeds", 32)
	if err != nil {
		return nil, err
	}
	feeds := &feed.Service{Shelf: d.Shelf, Key: [32]byte(links), Log: d.Log, There: d.there}
	public := &publish.Service{Shelf: d.Shelf, Accounts: d.Accounts, Base: d.Base, Now: time.Now, Log: d.Log}
	page := &self.Service{
		Accounts:    d.Accounts,
		Collections: &collections{shelf: d.Shelf, feed: feeds},
		Key:         [32]byte(key),
		Prefix:      selfPath,
		Base:        d.Base,
		TLS:         d.TLS,
		Mail:        d.Mail,
		Now:         time.Now,
		Log:         d.Log,
	}
	d.protocol = &caldav.Service{Shelf: d.Shelf, Accounts: d.Accounts, Now: time.Now, Push: d.push, Invite: d.Invite, Log: d.Log}
	return measured(d.Watch, mount(page.Handler(), public, feeds, d.protocol.Handler())), nil
}

// Receive takes in an invitation that came by mail, after Handler.
func (d *Dav) Receive(ctx context.Context, to *accounts.User, from string, data []byte) error {
	return d.protocol.Receive(ctx, to, from, data)
}

// there says whether somebody has an account.
func (d *Dav) there(ctx context.Context, user string) error {
	_, err := d.Accounts.User(ctx, user)
	return err
}

// contact is where push services find out who we are (RFC 8292 §2.1).
func contact(base string) string {
	if strings.HasPrefix(base, "https:") {
		return base
	}
	return "mailto:cairn@localhost"
}

// Run follows outside calendars and tells devices of changes, after Handler and until
// ctx ends.
func (d *Dav) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { d.follow.Run(ctx) })
	wg.Go(func() { d.push.Run(ctx) })
	wg.Wait()
	return nil
}

// mount puts the page below selfPath, and what strangers may see below /public/ and
// /feed/. Somebody who comes to the root with a browser is led to the page.
func mount(page, public, feeds, protocol http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == selfPath || strings.HasPrefix(path, selfPath+"/"):
			page.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/feed/"), strings.HasPrefix(path, "/public/") && isFile(path):
			feeds.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/public/"):
			public.ServeHTTP(w, r)
		case path == "/" && isBrowser(r):
			http.Redirect(w, r, selfPath+"/", http.StatusSeeOther)
		default:
			protocol.ServeHTTP(w, r)
		}
	})
}

// isFile reports whether a path is one of a feed.
func isFile(path string) bool {
	return strings.HasSuffix(path, ".ics") || strings.HasSuffix(path, ".vcf")
}

// isBrowser reports whether a request is one that a browser makes for a page.
func isBrowser(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// Guard is h for those who may come by a listener: by one that only this machine
// reaches under its own names, by any other only over TLS, for h asks for passwords.
func Guard(h http.Handler, loopback bool) http.Handler {
	if loopback {
		return setup.OnlyLocalNames(h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			http.Error(w, "Calendars and contacts need TLS here, for passwords would be readable on the way: "+
				"start with --tls-cert and --tls-key, --acme or --tls=seed.", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// measured tells watch how long requests take.
func measured(watch *monitor.Monitor, h http.Handler) http.Handler {
	took := map[string]func(seconds float64){}
	for _, method := range []string{"GET", "PUT", "DELETE", "PROPFIND", "REPORT", "POST", "other"} {
		took[method] = watch.Histogram("dav_seconds", "How long a request for calendars or contacts took.", "method", method)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		observe, ok := took[r.Method]
		if !ok {
			observe = took["other"]
		}
		start := time.Now()
		h.ServeHTTP(w, r)
		observe(time.Since(start).Seconds())
	})
}

// Check is what a push to a person's branch must satisfy.
func Check(ctx context.Context, s *shelf.Shelf, branch string, old, new *store.Tree) error {
	return s.Check(ctx, strings.TrimPrefix(branch, "dav/"), old, new)
}
