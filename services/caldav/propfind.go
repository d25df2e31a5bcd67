package caldav

import (
	"errors"
	"io/fs"
	"net/http"

	"cairn/services/caldav/dav"
)

// above are the collections of which nobody gets everything below at once.
var above = of(root, homes, calendarHome, contactHome)

// propfind answers PROPFIND (RFC 4918 §9.1).
func (x *exchange) propfind() error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err != nil {
		return err
	}
	want, err := dav.ReadPropfind(x.r.Body)
	if err != nil {
		return err
	}
	n, err := x.resolve(x.at)
	if err != nil {
		return err
	}
	if depth == dav.DepthInfinity && above.has(n.kind) {
		return dav.Violated(http.StatusForbidden, dav.D("propfind-finite-depth"), "ask with Depth 0 or 1")
	}
	if collections.has(n.kind) && !x.at.slash {
		x.w.Header().Set("Content-Location", n.href) // RFC 4918 §5.2
	}
	m, prefer := x.multistatus()
	s := selected(want)
	if !prefer.NoRoot {
		x.respond(m, n, s)
	}
	if depth > dav.DepthZero && collections.has(n.kind) {
		err = x.respondMembers(m, n, s, depth == dav.DepthInfinity)
	}
	return x.closing(m, err)
}

// maxMembers bounds an answer about a whole tree: a tree that was pushed can name one
// folder so often that nobody would see the end.
const maxMembers = 50_000

// respondMembers answers for what is in a collection, and below if deep. An answer
// that had to be cut says so (507, as RFC 6578 §3.6 does).
func (x *exchange) respondMembers(m *dav.Multistatus, n *node, s *selection, deep bool) error {
	left := maxMembers
	err := x.members(n, deep, func(c *node) error {
		if left--; deep && left < 0 {
			return errTooMany
		}
		x.respond(m, c, s)
		return m.Err()
	})
	if errors.Is(err, errTooMany) {
		m.Status(n.href, errTooMany.Status, errTooMany)
		return nil
	}
	return err
}

var errTooMany = dav.Violated(http.StatusInsufficientStorage, dav.D("number-of-matches-within-limits"), "there is more: ask folder by folder")

// multistatus begins an answer about several resources, as the client prefers it
// (RFC 8144).
func (x *exchange) multistatus() (*dav.Multistatus, dav.Prefer) {
	prefer := dav.ParsePrefer(x.r.Header)
	m := dav.NewMultistatus(x.w)
	if prefer.Minimal {
		m.Minimal = true
		x.w.Header().Set("Preference-Applied", "return=minimal")
		x.w.Header().Add("Vary", "Brief, Prefer")
	}
	return m, prefer
}

// respond adds one resource to an answer.
func (x *exchange) respond(m *dav.Multistatus, n *node, s *selection) {
	r := m.Response(n.href)
	x.describe(n, s, r)
	r.Done()
}

// closing ends an answer. An error that comes too late for another status cuts it
// short, so that nobody takes half of it for all.
func (x *exchange) closing(m *dav.Multistatus, err error) error {
	if err == nil {
		err = m.Close()
	}
	if err != nil && m.Started() {
		if x.ctx().Err() == nil {
			x.log().Error("answer cut short", "method", x.r.Method, "path", x.r.URL.Path, "user", x.name(), "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}

// absent reports whether an error says that something does not exist.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNothingHere) }
