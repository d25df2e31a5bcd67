package self

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"cairn/services/accounts"
)

// sessionFor is how long a log-in lasts.
const sessionFor = 12 * time.Hour

// A session is what the cookie holds, sealed.
type session struct {
	User  string
	Stamp [32]byte // of the password with which it began
	Begun int64    // Unix time
	ID    string   // random
}

// cookie makes the cookie of a value; none ends it.
func (h *handler) cookie(r *http.Request, value string) *http.Cookie {
	c := &http.Cookie{Name: "cairn-self", Value: value, Path: h.Prefix + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(sessionFor / time.Second)}
	if h.secure(r) {
		// The prefix keeps other hosts of the domain from setting it (RFC 6265bis §4.1.3.2).
		c.Name, c.Path, c.Secure = "__Host-cairn-self", "/", true
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// secure reports whether the browser asks over TLS.
func (h *handler) secure(r *http.Request) bool { return h.TLS || r.TLS != nil }

// begin starts a session of somebody who has just proved to be who they are. stamp
// is that of the password that they gave.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, u *accounts.User, stamp [32]byte) error {
	sealed, err := h.sessions.seal(session{User: u.Name, Stamp: stamp, Begun: h.Now().Unix(), ID: rand.Text()})
	if err == nil {
		http.SetCookie(w, h.cookie(r, sealed))
	}
	return err
}

// current returns who has logged in with this browser, or nil.
func (h *handler) current(r *http.Request) (*accounts.User, *session, error) {
	c, err := r.Cookie(h.cookie(r, "").Name)
	if err != nil {
		return nil, nil, nil
	}
	var s session
	if h.sessions.open(c.Value, &s) != nil || !h.alive(&s) {
		return nil, nil, nil
	}
	stamp, err := h.Accounts.PasswordStamp(r.Context(), s.User)
	if errors.Is(err, fs.ErrNotExist) || err == nil && stamp != s.Stamp {
		return nil, nil, nil // the user is gone, or the password was set since
	}
	if err != nil {
		return nil, nil, err
	}
	u, err := h.Accounts.User(r.Context(), s.User)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	return u, &s, err
}

func (h *handler) alive(s *session) bool {
	age := h.Now().Sub(time.Unix(s.Begun, 0))
	return age > -time.Minute && age < sessionFor && !h.ended.has(s.ID)
}

// authenticate returns who proves to be one by the chosen password, and the stamp of
// that password.
func (h *handler) authenticate(ctx context.Context, r *http.Request, name, password string) (u *accounts.User, stamp [32]byte, err error) {
	from := remote(r.RemoteAddr)
	u, err = h.Accounts.AuthenticateChosen(ctx, name, password, from)
	if err != nil {
		if !accounts.ValidName(name) {
			name = "" // people type passwords there
		}
		h.log().Warn("log-in refused", "protocol", "self", "user", name, "from", from, "err", err)
		return nil, stamp, err
	}
	if stamp, err = h.Accounts.PasswordStamp(ctx, u.Name); err != nil {
		return nil, stamp, err
	}
	// Once more, from memory: had the password been set in between, the stamp
	// would be that of another.
	u, err = h.Accounts.AuthenticateChosen(ctx, u.Name, password, from)
	return u, stamp, err
}

// ended remembers the sessions that were logged out of, until they would have ended
// by themselves. Safe for concurrent use.
type ended struct {
	mu  sync.Mutex
	ids map[string]time.Time // until when
}

// maxEnded bounds the memory; beyond it those that end first are forgotten.
const maxEnded = 1 << 16

func (e *ended) add(id string, until, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ids) >= maxEnded {
		e.sweep(now)
	}
	e.ids[id] = until
}

// sweep forgets what is over, and the one that will be first where nothing is.
func (e *ended) sweep(now time.Time) {
	first := ""
	for id, until := range e.ids {
		if until.Before(now) {
			delete(e.ids, id)
		} else if first == "" || until.Before(e.ids[first]) {
			first = id
		}
	}
	if len(e.ids) >= maxEnded {
		delete(e.ids, first)
	}
}

func (e *ended) has(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.ids[id]
	return ok
}
