package unipi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A Guard asks for a name and password (basic authentication, RFC 7617) before
// it lets anybody see a path. What lies behind one is never cached publicly.
type Guard struct {
	// Path is what is guarded, with all below it: "/" is the whole site,
	// "/members" also /members.html and every other way to reach the
	// same files.
	Path string

	// Realm is shown by browsers; empty: the site's.
	Realm string

	// Check says whether a name and password may pass. Right answers are
	// remembered for ten minutes; wrong ones are counted by address and by name,
	// and Check is not asked while there were too many.
	Check func(ctx context.Context, user, password string) (bool, error)

	// Attempts counts; guards may share one. Required.
	Attempts *Attempts
}

// guarding returns the guards over any of the paths.
func (s *snapshot) guarding(paths ...string) []*Guard {
	var list []*Guard
	for i := range s.guards {
		for _, p := range paths {
			if s.guards[i].covers(p) {
				list = append(list, &s.guards[i])
				break
			}
		}
	}
	return list
}

// covers reports whether a path, or the page that it is another name of, lies
// at or below the guard's.
func (g *Guard) covers(p string) bool {
	base, p := plainPath(g.Path), plainPath(p)
	return base == "" || p == base || strings.HasPrefix(p, base+"/")
}

// plainPath strips what makes several names of one page: closing slashes,
// index.html, .html and the endings of precompressed files.
func plainPath(p string) string {
	p = singleSlashes("/" + p)
	for _, ext := range codingExt {
		if ext != "" {
			p = strings.TrimSuffix(p, ext)
		}
	}
	p = strings.TrimSuffix(p, ".html")
	if trimmed, ok := strings.CutSuffix(p, "/index"); ok {
		p = trimmed
	}
	return strings.TrimRight(p, "/")
}

// admit lets a request through all guards, or returns the answer that stops it.
func admit(guards []*Guard, r *http.Request) (user string, stop *prepared) {
	user, password, ok := r.BasicAuth()
	if !ok || len(user) > 256 || len(password) > 1024 || !utf8.ValidString(user) {
		return "", guards[0].ask()
	}
	for _, g := range guards {
		passed, wait, err := g.Attempts.check(r, g, user, password)
		switch {
		case err != nil:
			return user, errorPage(http.StatusServiceUnavailable)
		case wait > 0:
			p := *errorPage(http.StatusTooManyRequests)
			p.head = p.head.with("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			return user, &p
		case !passed:
			return user, g.ask()
		}
	}
	return user, nil
}

// ask is the 401 that makes a browser ask for a password.
func (g *Guard) ask() *prepared {
	realm := g.Realm
	if realm == "" {
		realm = "This site"
	}
	p := *errorPage(http.StatusUnauthorized)
	p.head = p.head.with("Www-Authenticate", `Basic realm="`+strings.NewReplacer(`\`, ``, `"`, ``, "\r", "", "\n", "").Replace(realm)+`", charset="UTF-8"`)
	return &p
}

// Attempts remembers who gave the right password and counts wrong ones. Its
// zero value is ready. Memory is bounded. Safe for concurrent use.
type Attempts struct {
	failed table[string, *tally]
	passed table[[32]byte, time.Time] // until when
	key    [32]byte                   // what is remembered is keyed: no password lies in memory
	slots  chan struct{}              // how many Checks may run at once
	once   sync.Once
}

// Limits of guessing: ten wrong passwords from one address or for one name are
// free, then one every ten seconds.
const (
	freeAttempts   = 10
	attemptEvery   = 10 * time.Second
	passedFor      = 10 * time.Minute
	attemptsMemory = 4 << 20
	checksAtOnce   = 2
)

// A tally is a bucket that wrong passwords fill and time empties.
type tally struct {
	full time.Time // when it would be empty, measured from the last wrong one
}

func (a *Attempts) init() {
	a.once.Do(func() {
		_, _ = rand.Read(a.key[:]) // never fails
		a.failed.limit, a.passed.limit = attemptsMemory, attemptsMemory
		a.slots = make(chan struct{}, checksAtOnce)
	})
}

func (a *Attempts) check(r *http.Request, g *Guard, user, password string) (passed bool, wait time.Duration, err error) {
	a.init()
	mac := hmac.New(sha256.New, a.key[:])
	for _, part := range []string{g.Path, user, password} {
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	id := [32]byte(mac.Sum(nil))
	now := time.Now()
	if until, ok := a.passed.load(id); ok && now.Before(until) {
		return true, 0, nil
	}
	who := []string{"a " + clientNetwork(r.RemoteAddr), "u " + g.Path + "\x00" + user}
	for _, w := range who {
		wait = max(wait, a.waits(w, now))
	}
	if wait > 0 {
		return false, wait, nil
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-r.Context().Done():
		return false, 0, r.Context().Err()
	}
	passed, err = g.Check(r.Context(), user, password)
	switch {
	case err != nil:
		return false, 0, err
	case passed:
		a.passed.store(id, now.Add(passedFor), 128)
	default:
		for _, w := range who {
			a.count(w, now)
		}
	}
	return passed, 0, nil
}

// waits returns how long the next attempt must wait.
func (a *Attempts) waits(who string, now time.Time) time.Duration {
	t, ok := a.failed.load(who)
	if !ok {
		return 0
	}
	return t.full.Sub(now) - (freeAttempts-1)*attemptEvery
}

func (a *Attempts) count(who string, now time.Time) {
	full := now
	if t, ok := a.failed.load(who); ok && t.full.After(now) {
		full = t.full
	}
	a.failed.store(who, &tally{full.Add(attemptEvery)}, int64(128+len(who)))
}

// clientNetwork is what attempts are counted by: the IPv4 address, or the /64
// that one IPv6 customer has.
func clientNetwork(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	p, _ := ip.WithZone("").Prefix(64) // 64 is in range for IPv6
	return p.String()
}
