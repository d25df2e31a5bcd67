package caldav

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// A guard judges whether a request may change what it is about to: the If header
// (RFC 4918 §10.4) and locks (§7). It is asked within the Update that makes the
// change, so that nothing comes between.
type guard struct {
	x      *exchange
	of     views
	cond   dav.If
	tokens []string

	synced map[spot][]string // what current has found
}

// guard makes sure that the If header of the request holds.
func (x *exchange) guard(of views) (*guard, error) {
	cond, err := dav.ParseIf(x.r.Header)
	if err != nil {
		return nil, err
	}
	g := &guard{x: x, of: of, cond: cond, tokens: cond.Tokens()}
	var failed error
	holds := cond.Holds(func(resource string) (string, []string) {
		etag, tokens, err := g.state(resource)
		if err != nil {
			failed = err
		}
		return etag, tokens
	})
	if failed != nil {
		return nil, failed
	}
	if !holds {
		return nil, dav.Errorf(http.StatusPreconditionFailed, "the If header does not hold")
	}
	return g, nil
}

// state is what is true of a resource that the If header names. One elsewhere, or
// that the user may not see, has neither tag nor locks.
func (g *guard) state(resource string) (etag string, tokens []string, err error) {
	p := g.x.at
	if resource != "" {
		var u *url.URL
		if u, err = dav.Href(g.x.r, resource); err != nil {
			return "", nil, nil
		}
		if p, err = g.x.locate(u.EscapedPath()); err != nil {
			return "", nil, nil
		}
	}
	if !own.has(p.kind) {
		return "", nil, nil
	}
	n, err := g.x.find(p, g.of)
	if err != nil && !absent(err) {
		return "", nil, err
	}
	if n != nil && leaves.has(n.kind) {
		etag = n.etag()
	}
	s, err := g.x.spot(p)
	if err != nil {
		return "", nil, nil
	}
	locks, err := g.covering(s)
	for _, l := range locks {
		tokens = append(tokens, l.Token)
	}
	if err == nil && n != nil && n.col != nil && collections.has(n.kind) {
		var current []string
		current, err = g.current(n)
		tokens = append(tokens, current...)
	}
	return etag, tokens, err
}

// covering returns the locks on a spot: its own and those that reach down to it.
func (g *guard) covering(s spot) ([]shelf.Lock, error) {
	v, err := g.of(s.owner)
	if err != nil {
		return nil, err
	}
	all, err := v.Locks()
	return slices.DeleteFunc(all, func(l shelf.Lock) bool { return !covers(l, s.root) }), err
}

// covers reports whether a lock is on what is at root.
func covers(l shelf.Lock, root string) bool {
	return l.Root == root || l.Infinite && isBelow(root, l.Root)
}

func isBelow(root, of string) bool { return strings.HasPrefix(root, of+"/") }

// up is the root of the collection in which what is at root is.
func up(root string) string {
	i := strings.LastIndexByte(root, '/')
	return root[:max(i, 0)]
}

// What becomes of what is at a spot.
type change uint8

const (
	changed change = iota // its content or its properties
	bound                 // it comes to be: its collection gets a member
	unbound               // it and all that is in it goes
)

// free makes sure that locks let the user do something: of each resource that it
// touches and that is locked, the token of a lock that is the user's was sent.
func (g *guard) free(s spot, what change) error {
	v, err := g.of(s.owner)
	if err != nil {
		return err
	}
	all, err := v.Locks()
	if err != nil || len(all) == 0 {
		return err
	}
	touched := []string{s.root}
	if what != changed {
		touched = append(touched, up(s.root))
	}
	if what == unbound {
		for _, l := range all {
			if isBelow(l.Root, s.root) {
				touched = append(touched, l.Root)
			}
		}
	}
	var hrefs []string
	for _, root := range touched {
		if l := g.barred(all, root); l != nil {
			hrefs = append(hrefs, g.x.lockHref(l, s.owner, g.of))
		}
	}
	if hrefs == nil {
		return nil
	}
	slices.Sort(hrefs)
	e := dav.Violated(http.StatusLocked, dav.D("lock-token-submitted"), "it is locked")
	e.Hrefs = slices.Compact(hrefs)
	return e
}

// barred returns a lock on what is at root that keeps the user from changing it, or
// nil. Of several shared ones, one's own is enough.
func (g *guard) barred(all []shelf.Lock, root string) (by *shelf.Lock) {
	for i, l := range all {
		if !covers(l, root) {
			continue
		}
		if l.Principal == g.x.user.Name && slices.Contains(g.tokens, l.Token) {
			return nil
		}
		by = &all[i]
	}
	return by
}

// unlocked takes away the locks on what goes (RFC 4918 §9.6).
func unlocked(e *shelf.Edit, s spot) error {
	all, err := e.Locks()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(all), func(l shelf.Lock) bool { return l.Root == s.root || isBelow(l.Root, s.root) })
	if len(left) == len(all) {
		return nil
	}
	return e.SetLocks(left)
}

// before makes sure that the conditions of a request which writes one resource hold,
// and returns what is there, nil for nothing.
func (x *exchange) before(p place, of views) (*node, *guard, error) {
	n, err := x.find(p, of)
	if err != nil && !absent(err) {
		return nil, nil, err
	}
	etag := ""
	if n != nil && leaves.has(n.kind) {
		etag = n.etag()
	} else if n != nil {
		etag = `"collection"` // exists, and has no tag that anybody could send
	}
	if err := precondition(x.r.Header, etag); err != nil {
		return nil, nil, err
	}
	g, err := x.guard(of)
	return n, g, err
}
