// Package self is the page on which people look after themselves: their
// password, one app password for each device, their calendars and address books,
// who else may use them, and undoing what went wrong. It is for people who are not
// administrators and have no command line.
package self

import (
	"log/slog"
	"net/http"
	"time"

	"cairn/services/accounts"
)

// A Service serves the page. Its fields are set before Handler is called.
type Service struct {
	Accounts    *accounts.Accounts
	Collections Collections // nil when there are none
	// Key seals session cookies. Processes that share it accept each other's.
	Key [32]byte
	// Prefix is where the handler is mounted, without a slash at its end: "/self".
	Prefix string
	// Base is the address under which devices reach calendars and contacts,
	// such as "https://dav.example.org"; empty is the one the page was asked at.
	Base string
	// TLS says that the page is only ever asked for over TLS, also when the
	// request does not show it because something before us ends it.
	TLS bool
	Now func() time.Time // the clock
	Log *slog.Logger     // nil logs nothing
}

// Handler returns the page's handler. It is asked with whole paths, the prefix
// included.
func (s *Service) Handler() http.Handler { return http.NotFoundHandler() }
