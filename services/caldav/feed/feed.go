// Package feed carries calendars and address books in and out of the shelf for
// those who do not speak CalDAV: a Service gives a calendar as one .ics file, an
// address book as one .vcf, to everybody or to whoever knows a secret link; a Follower
// brings outside .ics files in.
//
//	f := &feed.Service{Shelf: s, Key: key}
//	mux.Handle("/feed/", f)
//	mux.Handle("/public/", f) // …/alice/club.ics
//
//	w := &feed.Follower{Shelf: s, Client: guarded, Now: time.Now}
//	go w.Run(ctx)
//
// # Links
//
// The secret link of a collection is made from its owner, its name and a nonce in
// its properties, and authenticated with a key that is not in the repository:
// whoever can read the repository cannot make the link. A new nonce makes the
// old link worthless, none makes that there is no link.
//
// # What everybody sees
//
// In a public calendar there are no attendees, organizers, alarms and
// attachments, nothing of what is marked CLASS:PRIVATE, and of what is
// CLASS:CONFIDENTIAL only when it is (RFC 5545 §3.8.1.3). Behind a secret link everything
// is as it is.
package feed

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"cairn/services/caldav/shelf"
)

// A Service answers GET and HEAD of /feed/<token>.ics (or .vcf), the secret links,
// and of /public/<user>/<name>.ics (or .vcf), collections with Props.Public. Its
// fields are set before it is used.
type Service struct {
	Shelf *shelf.Shelf
	Key   [32]byte     // authenticates links; the same in all replicas
	Log   *slog.Logger // default: discard

	// There says whether somebody has an account: nil or an error, fs.ErrNotExist for
	// who has gone, whose feeds are 404 from then on. Default: everybody has.
	There func(ctx context.Context, user string) error

	once  sync.Once
	turns chan struct{} // one for each that may be at work at a time
}

// atWork is how many feeds are computed at a time: strangers ask for them.
const atWork = 2

const (
	secretPath = "/feed/"
	publicPath = "/public/"
)

// exts says how the files of a kind end.
var exts = map[shelf.Kind]string{shelf.Calendars: ".ics", shelf.Contacts: ".vcf"}

// Link returns the path of a collection's secret link, "" when it has none.
func (s *Service) Link(c *shelf.Collection) string {
	if c.Props().Nonce == "" || exts[c.Kind] == "" {
		return ""
	}
	name := string(c.Kind) + "/" + c.User() + "/" + c.Name
	token := append(s.mac(name, c.Props().Nonce), name...)
	return secretPath + base64.RawURLEncoding.EncodeToString(token) + exts[c.Kind]
}

// Public returns the path of a collection's public feed, "" when it has none.
func Public(c *shelf.Collection) string {
	if !c.Props().Public || exts[c.Kind] == "" {
		return ""
	}
	return publicPath + url.PathEscape(c.User()) + "/" + url.PathEscape(c.Name) + exts[c.Kind]
}

const macBytes = 16

func (s *Service) mac(name, nonce string) []byte {
	h := hmac.New(sha256.New, s.Key[:])
	h.Write([]byte("feed link\x00" + name + "\x00" + nonce))
	return h.Sum(nil)[:macBytes]
}

// ServeHTTP answers 404 alike for all that it does not show.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	c, public, err := s.find(r.Context(), r.URL.EscapedPath())
	if err == nil {
		err = s.serve(w, r, c, public)
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		http.NotFound(w, r)
	case r.Context().Err() != nil: // nobody is there any more
	default:
		s.log().Error("feed", "err", err)
		http.Error(w, "the calendar cannot be read at the moment", http.StatusServiceUnavailable)
	}
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// find returns the collection that a path shows.
func (s *Service) find(ctx context.Context, path string) (c *shelf.Collection, public bool, err error) {
	if rest, ok := strings.CutPrefix(path, secretPath); ok {
		c, err = s.secret(ctx, rest)
		return c, false, err
	}
	rest, ok := strings.CutPrefix(path, publicPath)
	user, file, two := strings.Cut(rest, "/")
	if !ok || !two {
		return nil, true, fs.ErrNotExist
	}
	for kind, ext := range exts {
		name, is := strings.CutSuffix(file, ext)
		if !is {
			continue
		}
		user, err1 := url.PathUnescape(user)
		name, err2 := url.PathUnescape(name)
		if err1 != nil || err2 != nil {
			return nil, true, fs.ErrNotExist
		}
		c, err := s.collection(ctx, kind, user, name)
		if err == nil && !c.Props().Public {
			err = fs.ErrNotExist
		}
		return c, true, err
	}
	return nil, true, fs.ErrNotExist
}

// secret returns the collection of a secret link.
func (s *Service) secret(ctx context.Context, file string) (*shelf.Collection, error) {
	for kind, ext := range exts {
		token, ok := strings.CutSuffix(file, ext)
		if !ok {
			continue
		}
		b, err := base64.RawURLEncoding.Strict().DecodeString(token)
		if err != nil || len(b) < macBytes {
			return nil, fs.ErrNotExist
		}
		name := string(b[macBytes:])
		parts := strings.SplitN(name, "/", 3)
		if len(parts) != 3 || shelf.Kind(parts[0]) != kind {
			return nil, fs.ErrNotExist
		}
		c, err := s.collection(ctx, kind, parts[1], parts[2])
		if err != nil {
			return nil, err
		}
		if nonce := c.Props().Nonce; nonce == "" || !hmac.Equal(s.mac(name, nonce), b[:macBytes]) {
			return nil, fs.ErrNotExist
		}
		return c, nil
	}
	return nil, fs.ErrNotExist
}

func (s *Service) collection(ctx context.Context, kind shelf.Kind, user, name string) (*shelf.Collection, error) {
	if !s.Shelf.Known(ctx, user) {
		return nil, fs.ErrNotExist
	}
	snap, err := s.Shelf.Snapshot(ctx, user)
	if err == nil && s.There != nil {
		err = s.There(ctx, user)
	}
	if err != nil {
		return nil, err
	}
	return snap.Collection(kind, name)
}
