package caldav

import (
	"net/http"

	"cairn/services/caldav/dav"
)

// maxExpanded bounds how many properties one expand-property shows of resources that others lead to.
const maxExpanded = 50_000

// expandProperty answers expand-property (RFC 3253 §3.8): properties, and of the resources that their hrefs name
// properties too.
func (x *exchange) expandProperty(n *node, q *dav.ExpandProperty) error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthZero)
	if err != nil {
		return err
	}
	if depth == dav.DepthInfinity {
		return dav.Violated(http.StatusForbidden, dav.D("propfind-finite-depth"), "ask with Depth 0 or 1")
	}
	m, _ := x.multistatus()
	e := expansion{x: x, left: maxExpanded}
	add := func(n *node) error {
		r := m.Response(n.href)
		e.describe(n, q.Properties, r)
		r.Done()
		return m.Err()
	}
	err = add(n)
	if err == nil && depth == dav.DepthOne && collections.has(n.kind) {
		err = x.members(n, false, add)
	}
	return x.closing(m, err)
}

// An expansion is an expand-property on its way.
type expansion struct {
	x    *exchange
	left int // properties that may still be shown within others
}

func (e *expansion) describe(n *node, list []dav.ExpandedProperty, r *dav.Response) {
	for _, p := range list {
		if len(p.Properties) == 0 {
			e.x.describe(n, selected(&dav.Want{Props: []dav.Name{p.Name}}), r)
			continue
		}
		value := e.x.value(n, p.Name)
		if value == nil {
			r.Missing(p.Name)
			continue
		}
		r.Value(p.Name, func(b *dav.Builder) { e.expand(b, value, p.Properties) })
	}
}

// expand writes a value with a response in the place of each href. One that leads out of here (mailto:) stays, and
// so do all when there have been too many.
func (e *expansion) expand(b *dav.Builder, value *dav.Element, list []dav.ExpandedProperty) {
	for _, part := range value.Nodes {
		if part.Element == nil || part.Element.Name != dav.D("href") {
			b.Node(part)
			continue
		}
		href := part.Element.Word()
		n, err := e.x.follow(href)
		e.left -= len(list)
		switch {
		case e.left < 0 || err != nil && !absent(err):
			b.Href(href)
		case err != nil:
			b.Start(dav.D("response"))
			b.Href(href)
			b.Element(dav.D("status"), "HTTP/1.1 404 Not Found")
			b.End(dav.D("response"))
		default:
			r := b.Response(n.href)
			e.describe(n, list, r)
			r.Done()
		}
	}
}

// follow finds what an href names, with the eyes of the user.
func (x *exchange) follow(href string) (*node, error) {
	u, err := dav.Href(x.r, href)
	if err != nil {
		return nil, err
	}
	p, err := x.locate(u.EscapedPath())
	if err != nil {
		return nil, err
	}
	return x.resolve(p)
}
