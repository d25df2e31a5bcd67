// Package self is the page on which people look after themselves: their
// password, one app password for each device, their calendars and address books,
// who else may use them, and undoing what went wrong. It is for people who are not
// administrators and have no command line.
//
//	page := &self.Service{Accounts: people, Collections: shelf, Key: key, Prefix: "/self", Now: time.Now}
//	mux.Handle("/self/", page.Handler())
//
// # Who gets in
//
// Only the chosen password logs in; app passwords do not, so a lost device opens its
// mail and calendars but not the account. A log-in is a cookie that only whoever has
// the Key can make or read; it ends after 12 hours, when one logs out, and when
// the password is set, here or elsewhere. Nothing about it is stored.
//
// What changes something is a POST from the page itself: requests from other
// origins are refused by what browsers say of them (Sec-Fetch-Site, Origin), the
// cookie is SameSite=Strict, and each form has a token of its session.
//
// # Caveats
//
// Logging out is known to this process alone, until it ends: somebody who has
// copied the cookie before can use it at another replica until its 12 hours are
// over. Setting the password ends it everywhere.
package self

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
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
	// Mail says how a person's mail is reached; nil, or nil for a person: there is none.
	Mail func(ctx context.Context, u *accounts.User) *Mail
	// TLS says that the page is only ever asked for over TLS, also when the
	// request does not show it because something before us ends it.
	TLS bool
	Now func() time.Time // the clock
	Log *slog.Logger     // nil logs nothing
}

// Mail is how devices reach a person's mail.
type Mail struct {
	Name, Address    string // who writes
	Host             string
	IMAP, Submission int  // ports
	TLS              bool // both are encrypted from the beginning; otherwise by STARTTLS or not at all
}

// A handler is a Service at work.
type handler struct {
	*Service
	sections []*section
	sessions *sealer
	profiles *sealer
	ended    ended
}

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// Handler returns the page's handler. It is asked with whole paths, the prefix
// included.
func (s *Service) Handler() http.Handler {
	h := &handler{Service: s, ended: ended{ids: map[string]time.Time{}}}
	var err1, err2 error
	h.sessions, err1 = newSealer(s.Key, "session")
	h.profiles, err2 = newSealer(s.Key, "profile")
	if err1 != nil || err2 != nil {
		panic(fmt.Sprint(err1, err2)) // the lengths are constants
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+s.Prefix+"/login", h.showLogin)
	mux.HandleFunc("POST "+s.Prefix+"/login", h.login)
	mux.HandleFunc("GET "+s.Prefix+"/devices/profile", h.sendProfile)
	mux.HandleFunc("GET "+s.Prefix, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.Prefix+"/", http.StatusMovedPermanently)
	})
	for _, sec := range []*section{devices, manage, one, history, account} {
		if !sec.collections || s.Collections != nil {
			h.sections = append(h.sections, sec)
			h.route(mux, sec)
		}
	}
	mux.HandleFunc(s.Prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		h.plain(w, r, http.StatusNotFound, "There is no such page.")
	})
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.plain(w, r, http.StatusForbidden, "This was asked for by another website, so nothing was done.")
	}))
	protected := protect.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		protected.ServeHTTP(w, r)
	})
}

// route registers a section and what can be done in it.
func (h *handler) route(mux *http.ServeMux, sec *section) {
	path := h.Prefix + "/" + sec.path
	if sec.path == "" {
		path += "{$}"
	}
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { h.visit(w, r, sec, nil) })
	for name, do := range sec.actions {
		mux.HandleFunc("POST "+h.Prefix+"/"+name, func(w http.ResponseWriter, r *http.Request) { h.visit(w, r, sec, do) })
	}
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// remote is the IP address in a host:port; the zero Addr when there is none.
func remote(hostport string) netip.Addr {
	a, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr()
}
