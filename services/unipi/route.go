package unipi

import (
	"net/http"
	"net/url"
	"strconv"
)

// A route is what one path of one snapshot leads to.
type route struct {
	guards []*Guard  // that must let the request through
	page   *page     // or
	move   *prepared // a redirect, to which the query is added
	failed *prepared // an error of the service's own
}

type routeKey struct {
	snap *snapshot
	path string
}

// route finds out where a path leads. keep is false for what must not fill
// the cache: paths that do not exist, answers that depend on the query.
func (s *snapshot) route(path string, query url.Values) (rt *route, keep bool) {
	look := &finder{tree: s.tree}
	defer func() {
		if look.err != nil {
			rt, keep = &route{guards: s.guarding(path), failed: errorPage(http.StatusServiceUnavailable)}, false
		}
	}()
	f, sendTo, exists := look.find(path)
	for i := range s.redirects.rules {
		to, ok := s.redirects.rules[i].match(path, query, exists)
		if !ok {
			continue
		}
		if to.location != "" {
			return s.moved(path, to.status, to.location), true
		}
		if shown, _, ok := look.find(singleSlashes("/" + to.path)); ok && shown.name != "" {
			return s.shown(path, shown, to.status)
		}
		return s.missing(look, path, to.status)
	}
	switch {
	case sendTo != "":
		return s.moved(path, http.StatusMovedPermanently, escapePath(sendTo)), true
	case exists:
		return s.shown(path, f, http.StatusOK)
	}
	return s.missing(look, path, http.StatusNotFound)
}

// shown is the route to a file.
func (s *snapshot) shown(path string, f file, status int) (*route, bool) {
	return s.build(path, f, status, s.guarding(path, "/"+f.name))
}

func (s *snapshot) build(path string, f file, status int, guards []*Guard) (*route, bool) {
	page, err := s.newPage(f, path, status, len(guards) > 0)
	if err != nil {
		return &route{guards: guards, failed: errorPage(http.StatusServiceUnavailable)}, false
	}
	return &route{guards: guards, page: page}, true
}

// moved is the route of a path that sends elsewhere.
func (s *snapshot) moved(path string, status int, location string) *route {
	p := &prepared{status: status}
	p.head.set("Location", location)
	p.head.set("Cache-Control", cacheCheck)
	rt := &route{guards: s.guarding(path), move: p}
	s.finishHead(&p.head, path, len(rt.guards) > 0)
	p.seal()
	return rt
}

// missing is the route of a path that leads nowhere: the nearest 404.html, or
// the service's own page.
func (s *snapshot) missing(look *finder, path string, status int) (*route, bool) {
	if status != http.StatusGone {
		status = http.StatusNotFound
	}
	if f, ok := look.notFound(path); ok {
		return s.missingPage(path, f, status), false
	}
	p := errorPage(status)
	rt := &route{guards: s.guarding(path), failed: p}
	return rt, false
}

// missingPage shows a 404.html. It is prepared once, not for each path that
// does not exist.
func (s *snapshot) missingPage(path string, f file, status int) *route {
	guards := s.guarding(path, "/"+f.name)
	key := routeKey{s, "\x00" + strconv.Itoa(status) + "/" + f.name} // no request has a path with a NUL
	if len(guards) > 0 {
		rt, _ := s.build("/"+f.name, f, status, guards)
		return rt
	}
	if rt, ok := s.cache.routes.load(key); ok {
		return rt
	}
	rt, ok := s.build("/"+f.name, f, status, nil)
	if ok {
		s.cache.routes.store(key, rt, rt.cost(key.path))
	}
	return rt
}

// cost is about how many bytes a route holds.
func (rt *route) cost(path string) int64 {
	n := int64(2048 + len(path))
	if rt.page != nil {
		n += int64(len(rt.page.content.data))
	}
	return n
}
