// Package push tells programs that a collection has changed (WebDAV-Push, draft
// of bitfireAT/webdav-push as of 2026), over Web Push (RFC 8030), with messages that only the program can
// read (RFC 8291), signed so that the push service knows from whom they are (RFC
// 8292).
//
//	s := &push.Service{Shelf: shelf, Client: guarded, Key: key, Rand: rand.Reader, Now: time.Now, Contact: "mailto:owner@example.org"}
//	go s.Run(ctx)
//	registered, err := s.Register(ctx, push.Registration{Owner: "alice", Path: home, User: "alice", …})
//
// What is registered lies in the file .push on the owner's branch, encrypted: who
// reads the repository does not learn which devices there are. What a message
// says follows from the branch, so everything that changes a collection is told,
// git push too, whichever replica did it.
//
// # Caveats
//
// Changes are looked for every few seconds and told together. Nobody is told of what
// changed while no Run was running: programs must ask now and then all the same, as
// the draft says. Two replicas that run may both tell.
package push

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// A Service keeps registrations and sends messages. Its fields are set before it is
// used.
type Service struct {
	Shelf *shelf.Shelf

	// Client reaches push services. Their addresses come from users, so it must
	// reach nothing but the public internet.
	Client *http.Client

	Key     [32]byte  // what all keys here are made from; the same in all replicas
	Rand    io.Reader // of cryptographic quality
	Now     func() time.Time
	Contact string       // a mailto: or https: URL at which a push service reaches who runs this
	Log     *slog.Logger // default: discard

	vapid func() *ecdsa.PrivateKey
	once  sync.Once

	mu   sync.Mutex
	tips map[string]store.Hash // by person: what was looked at last
	told map[string]*told      // by ID
}

// A Registration says who wants to be told of what.
type Registration struct {
	Owner string     // whose collection it is
	Path  shelf.Path // of a collection, or of the folder of a kind (a home set)
	User  string     // who registers

	Endpoint string // the push resource, an https URL
	Public   []byte // the program's key: a point of P-256, uncompressed
	Auth     []byte // its authentication secret, 16 bytes

	Content    bool // of new, changed and removed members
	Properties bool // of properties of the collection

	Expires time.Time // zero: as long as usual
}

// Registered is a Registration that is kept.
type Registered struct {
	ID      string    // for Unregister: letters, digits, hyphen and underscore
	Expires time.Time // perhaps earlier than was asked for
	New     bool      // it was not there before
}

// Errors of Register.
var (
	// ErrInvalid is invalid-subscription in the draft.
	ErrInvalid = errors.New("this is no subscription of Web Push")
	// ErrTooMany says that a person has as many as they may.
	ErrTooMany = errors.New("too many push subscriptions")
)

// How long a registration lasts.
const (
	usually = 7 * 24 * time.Hour
	atMost  = 30 * 24 * time.Hour
)

// check says what is wrong with a registration.
func (r *Registration) check() error {
	u, err := url.Parse(r.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(r.Endpoint) > 1024:
		return fmt.Errorf("push resource: %w", ErrInvalid)
	case len(r.Auth) != 16:
		return fmt.Errorf("authentication secret: %w", ErrInvalid)
	case !r.Content && !r.Properties:
		return fmt.Errorf("trigger: %w", ErrInvalid)
	}
	if _, err := curve.NewPublicKey(r.Public); err != nil {
		return fmt.Errorf("public key: %w", ErrInvalid)
	}
	return nil
}

// Topic returns a collection's push topic: the same wherever it is shown, telling
// nothing.
func (s *Service) Topic(owner string, p shelf.Path) string {
	return s.name("topic", owner, p.String())
}

// name makes a name of texts that says nothing about them.
func (s *Service) name(texts ...string) string {
	h := hmac.New(sha256.New, s.key("names"))
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
