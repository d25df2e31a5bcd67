// Package caldav serves calendars, contacts and files of people over WebDAV: RFC
// 4918 (classes 1, 2, 3), 3744, 4331, 4791 (CalDAV), 5397, 5689, 6352 (CardDAV), 6578
// (sync), 6638 (scheduling), 6764 (.well-known), 8144 (Prefer). What a person has lies on the
// branch dav/<user>, see cairn/services/caldav/shelf; who that is,
// cairn/services/accounts knows.
//
// # Paths
//
//	/                                  whom one has logged in as
//	/principals/<user>/                people
//	/calendars/<user>/<name>/<object>  calendars, and the inbox and outbox
//	/contacts/<user>/<name>/<object>   address books
//	/files/<user>/…                    files and folders of any kind
//	/.well-known/caldav, carddav       where to begin
//
// <user> is a user's name or one of their e-mail addresses. Everybody who has
// logged in may see who else there is (principals); what others have, shared
// collections aside, answers as what does not exist.
//
// # Sharing
//
// A calendar home that alice shares with bob, by the ACL method or by the POST of
// calendar programs, is at once in bob's calendars under the name ~alice~home, with
// the rights that she gave. What bob calls it and its colour are on his own
// branch; for him to delete it is to decline it. Calendars and address
// books whose names begin with ~ cannot be made.
//
// # Answers
//
// Bytes are kept and returned as they were sent, so ETags are strong; where
// scheduling had to change them, PUT returns none. Every method that writes is one
// commit in the acting person's name; conditions (If-Match, If-None-Match, If) and
// locks are judged on the snapshot that the commit is made on, so of several
// conditional writes at once exactly one wins. A locked name that does not exist yet is
// an empty file below /files/ (RFC 4918 §7.3); in a calendar or address book, where
// an empty object is none, the lock alone reserves it.
//
// PROPFIND with Depth infinity is answered, but for / and for the homes of
// calendars and contacts as a whole (propfind-finite-depth).
//
// When a resource was last changed is not told (getlastmodified, Last-Modified): it takes
// a walk through history, and the entity tag says more.
//
// # Caveats
//
// The service trusts http.Server's deadlines against slow bodies, and whoever
// mounts it not to ask for passwords in the clear. A body is in memory as a whole,
// up to Shelf.MaxResource for each request; large ones
// take turns.
package caldav

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"cairn/services/accounts"
	"cairn/services/caldav/feed/push"
	"cairn/services/caldav/shelf"
)

// Service serves calendars and contacts. Its fields are set before Handler is
// called and not changed after.
type Service struct {
	Shelf    *shelf.Shelf       // what people have
	Accounts *accounts.Accounts // who they are
	Log      *slog.Logger       // default: discard
	Now      func() time.Time   // the clock; needed
	Invite   Inviter            // by mail; nil: nobody is invited who has no account here
	Rand     io.Reader          // randomness; default: crypto/rand.Reader

	Push *push.Service // tells programs of changes; nil: they have to ask

	sizes folderSizes
	large turns
}

// realm is what browsers show beside the password.
const realm = `Basic realm="Cairn", charset="UTF-8"`

// Handler returns the service. It expects to be at the root of its host.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{Service: s, w: w, r: r}
		defer x.over()
		if err := x.serve(); err != nil {
			x.fail(err)
		}
	})
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *Service) random() io.Reader {
	if s.Rand == nil {
		return rand.Reader
	}
	return s.Rand
}
