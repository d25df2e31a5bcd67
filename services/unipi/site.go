package unipi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cairn/store"
)

// A Site serves one branch as a website. It is an http.Handler; its fields are
// set before the first request and not changed after.
type Site struct {
	// Tree returns the snapshot that a request is to see; it is called once
	// for each. An error that is fs.ErrNotExist means that nothing has
	// been pushed yet.
	Tree func(context.Context) (*store.Tree, error)

	// Preview tells search engines to stay away (X-Robots-Tag: noindex).
	Preview bool

	// Guards ask for a name and password below their paths.
	Guards []Guard

	// First is shown while there is no commit; nil: a 404.
	First *FirstPage

	// Cache holds prepared pages; nil: one of its own, of 128 MiB.
	Cache *Cache

	// Log is told of rules that could not be used and of pages that could
	// not be read; nil: nobody is.
	Log *slog.Logger

	once    sync.Once
	mu      sync.Mutex // held while current is replaced
	current atomic.Pointer[snapshot]
}

func (s *Site) init() {
	s.once.Do(func() {
		if s.Cache == nil {
			s.Cache = &Cache{}
		}
		if s.Log == nil {
			s.Log = slog.New(slog.DiscardHandler)
		}
		s.Cache.init()
	})
}

// ServeHTTP answers one request from one commit.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, _ := s.reply(r)
	if _, err := p.write(w, r); err != nil {
		panic(http.ErrAbortHandler) // the length has been promised: cut the connection
	}
}

// log does nothing: a Site alone keeps no access log.
func (s *Site) log(*http.Request, *prepared, string, int64) {}

// snapshot returns the commit that is current now.
func (s *Site) snapshot(ctx context.Context) (*snapshot, error) {
	t, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	if now := s.current.Load(); now != nil && (now.tree == t || now.key == treeKey(t)) {
		return now, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.current.Load()
	if before != nil && before.key == treeKey(t) {
		return before, nil
	}
	next := newSnapshot(t, before, time.Now())
	next.cache, next.preview, next.guards = s.Cache, s.Preview, s.Guards
	next.maxBody = min(maxBody, s.Cache.Bytes/32)
	for _, problem := range next.problems {
		s.Log.Warn("rule left out", "problem", problem.Error())
	}
	s.current.Store(next)
	if before != nil {
		s.Cache.routes.drop(func(k routeKey) bool { return k.snap == before })
	}
	return next, nil
}

// reply finds the response to a request, and who asked if they had to say.
func (s *Site) reply(r *http.Request) (p *prepared, user string) {
	s.init()
	if p := refuse(r); p != nil {
		return p, ""
	}
	snap, err := s.snapshot(r.Context())
	if err != nil {
		return s.unreadable(r, err), ""
	}
	key := routeKey{snap, r.URL.Path}
	rt, ok := s.Cache.routes.load(key)
	if !ok || snap.redirects.query && r.URL.RawQuery != "" {
		if status := pathProblem(r.URL); status != 0 {
			return errorPage(status), ""
		}
		if strings.Contains(r.URL.Path, "//") {
			rt = snap.moved(r.URL.Path, http.StatusMovedPermanently, escapePath(singleSlashes(r.URL.Path)))
		} else if rt, ok = s.newRoute(snap, r); ok {
			key.path = strings.Clone(key.path) // it may be part of a request's head
			s.Cache.routes.store(key, rt, rt.cost(key.path))
		}
	} else if r.URL.RawPath != "" && pathProblem(r.URL) != 0 {
		return errorPage(pathProblem(r.URL)), ""
	}
	if len(rt.guards) > 0 {
		if user, p = admit(rt.guards, r); p != nil {
			return p, user
		}
	}
	switch {
	case rt.page != nil:
		return rt.page.answer(r, s.Cache, key), user
	case rt.move != nil && r.URL.RawQuery != "":
		return rt.move.withQuery(r.URL.RawQuery), user
	case rt.move != nil:
		return rt.move, user
	}
	return rt.failed, user
}

// newRoute finds out where a path leads. Nothing that a tree or a request
// holds may make it fail otherwise than with an error page.
func (s *Site) newRoute(snap *snapshot, r *http.Request) (*route, bool) {
	if !snap.redirects.query || r.URL.RawQuery == "" {
		return snap.route(strings.Clone(r.URL.Path), nil)
	}
	rt, _ := snap.route(r.URL.Path, r.URL.Query())
	return rt, false
}

// refuse answers what no site serves, whatever its content.
func refuse(r *http.Request) *prepared {
	if r.ContentLength != 0 {
		p := *errorPage(http.StatusBadRequest)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			p = *errorPage(http.StatusMethodNotAllowed)
		}
		p.closing = true // rather than read a body that nobody wants
		return &p
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodOptions:
		return options
	}
	return errorPage(http.StatusMethodNotAllowed)
}

var options = &prepared{status: http.StatusNoContent, head: head{{"Allow", []string{"GET, HEAD, OPTIONS"}}}}

// unreadable answers when there is no snapshot.
func (s *Site) unreadable(r *http.Request, err error) *prepared {
	if !errors.Is(err, fs.ErrNotExist) {
		if r.Context().Err() == nil {
			s.Log.Error("site cannot be read", "err", err)
		}
		return errorPage(http.StatusServiceUnavailable)
	}
	if s.First == nil || r.URL.Path != "/" {
		return errorPage(http.StatusNotFound)
	}
	return s.First.render(http.StatusOK)
}

// withQuery is the redirect p for a request that has a query.
func (p *prepared) withQuery(query string) *prepared {
	c := *p
	c.head = p.head.with("Location", withQuery(p.head.value("Location"), query))
	return &c
}
