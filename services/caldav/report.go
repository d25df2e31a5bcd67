package caldav

import (
	"net/http"
	"strings"

	"cairn/services/caldav/dav"
)

// report answers REPORT (RFC 3253 §3.6).
func (x *exchange) report() error {
	n, err := x.resolve(x.at)
	if err != nil {
		return err
	}
	rep, err := dav.ReadReport(x.r.Body)
	if err != nil {
		return err
	}
	if !answersReport(rep.Name(), n.kind) {
		return dav.Violated(http.StatusForbidden, dav.D("supported-report"), "%s does not work here", rep.Name().Local)
	}
	switch rep := rep.(type) {
	case *dav.CalendarQuery:
		return x.calendarQuery(n, rep)
	case *dav.CalendarMultiget:
		return x.calendarMultiget(n, rep)
	case *dav.FreeBusyQuery:
		return x.freeBusyQuery(n, rep)
	case *dav.AddressbookQuery:
		return x.addressbookQuery(n, rep)
	case *dav.AddressbookMultiget:
		return x.addressbookMultiget(n, rep)
	case *dav.SyncCollection:
		return x.syncCollection(n, rep)
	case *dav.ExpandProperty:
		return x.expandProperty(n, rep)
	}
	// The others are only defined for Depth 0 (RFC 3744 §9).
	if depth, err := dav.ParseDepth(x.r.Header, dav.DepthZero); err != nil || depth != dav.DepthZero {
		return dav.Errorf(http.StatusBadRequest, "%s needs Depth 0", rep.Name().Local)
	}
	switch rep := rep.(type) {
	case *dav.PrincipalMatch:
		return x.principalMatch(n, rep)
	case *dav.PrincipalPropertySearch:
		return x.principalSearch(n, rep)
	case *dav.ACLPrincipalPropSet:
		return x.aclPrincipals(n, rep)
	default:
		return x.searchable()
	}
}

// queryDepth reads the Depth of a query. The default is 0 (RFC 3253 §3.6), with which a query of a collection could
// find nothing at all; clients that leave the header out want to know what is in it.
func (x *exchange) queryDepth() (dav.Depth, error) {
	return dav.ParseDepth(x.r.Header, dav.DepthOne)
}

// eachBelow yields the calendar or address objects that a query of n reaches: n itself, what is in it, and from a
// home, with Depth infinity, what is in all its collections. The node is good until yield returns. It ends when
// nobody waits for the answer any more.
func (x *exchange) eachBelow(n *node, depth dav.Depth, each func(*node) error) error {
	yield := func(c *node) error {
		if err := x.ctx().Err(); err != nil {
			return err
		}
		return each(c)
	}
	switch {
	case objects.has(n.kind):
		return yield(n)
	case depth == dav.DepthZero:
		return nil
	case n.col != nil:
		return n.eachObject(yield)
	case depth == dav.DepthOne:
		return nil
	}
	return x.members(n, false, func(c *node) error {
		if !ordered.has(c.kind) {
			return nil
		}
		return c.eachObject(yield)
	})
}

// eachHref yields the objects that a multiget names, each once, and answers for those that are not there or
// not below n.
func (x *exchange) eachHref(n *node, hrefs []string, m *dav.Multistatus, yield func(*node) error) error {
	g := getter{x: x, within: n, collections: map[string]*node{}}
	seen := make(map[string]bool, len(hrefs))
	for _, href := range hrefs {
		if seen[href] {
			continue
		}
		seen[href] = true
		c, err := g.get(href)
		switch {
		case absent(err):
			m.Status(href, http.StatusNotFound, nil)
		case err != nil:
			e := x.refusal(err)
			if e.Status >= 500 {
				return err
			}
			m.Status(href, e.Status, e)
		default:
			if err := yield(c); err != nil {
				return err
			}
		}
		if m.Err() != nil {
			return m.Err()
		}
	}
	return nil
}

// A getter finds objects by href. It looks for each collection once.
type getter struct {
	x           *exchange
	within      *node
	collections map[string]*node // by escaped path; nil for what is no collection within
}

func (g *getter) get(href string) (*node, error) {
	u, err := dav.Href(g.x.r, href)
	if err != nil {
		return nil, err
	}
	p, err := parsePath(u.EscapedPath())
	if err != nil {
		return nil, err
	}
	if !objects.has(p.kind) || p.slash {
		return nil, errNothingHere
	}
	dir, err := g.collection(u.EscapedPath())
	if err != nil {
		return nil, err
	}
	res, err := dir.col.Resource(p.names[1])
	if err != nil {
		return nil, err
	}
	c := dir.child(p.kind, res.Name)
	c.setObject(dir, res)
	c.root = dir.root + "/" + res.Name
	if objects.has(g.within.kind) && c.root != g.within.root {
		return nil, errNothingHere
	}
	c.href = u.EscapedPath()
	return c, nil
}

// collection finds the collection that an object's path is in.
func (g *getter) collection(object string) (*node, error) {
	path := object[:strings.LastIndexByte(object, '/')+1]
	dir, ok := g.collections[path]
	if !ok {
		p, err := g.x.locate(path)
		if err == nil {
			dir, err = g.x.resolve(p)
		}
		if err != nil && !absent(err) {
			return nil, err
		}
		if err != nil || !g.reaches(dir) {
			dir = nil
		}
		g.collections[path] = dir
	}
	if dir == nil {
		return nil, errNothingHere
	}
	return dir, nil
}

// reaches reports whether a collection is n, below it or above it.
func (g *getter) reaches(dir *node) bool {
	if dir.col == nil {
		return false
	}
	if g.within.col == nil {
		return g.within.space == dir.space
	}
	return g.within.owner == dir.owner && g.within.col.Path() == dir.col.Path()
}
