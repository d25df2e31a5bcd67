package caldav

import (
	"errors"
	"io/fs"
	"net/http"

	"cairn/services/caldav/dav"
)

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
	if depth == dav.DepthInfinity && collections.has(n.kind) && n.kind != folder {
		return dav.Violated(http.StatusForbidden, dav.D("propfind-finite-depth"), "ask with Depth 0 or 1")
	}
	m, prefer := x.multistatus()
	s := selected(want)
	if !prefer.NoRoot {
		x.respond(m, n, s)
	}
	if depth > dav.DepthZero && collections.has(n.kind) {
		err = x.members(n, depth == dav.DepthInfinity, func(n *node) error {
			x.respond(m, n, s)
			return m.Err()
		})
	}
	return x.closing(m, err)
}

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
