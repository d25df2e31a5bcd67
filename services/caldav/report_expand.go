package caldav

import (
	"net/http"

	"cairn/services/caldav/dav"
)

// maxExpanded bounds how many resources one expand-property looks at beside those that it is about.
const maxExpanded = 1000

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
	left int // resources that may still be looked at
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
		r.Value(p.Name, func(b *dav.Builder) {
			for _, part := range value.Nodes {
				if part.Element != nil && part.Element.Name == dav.D("href") {
					e.follow(b, part.Element.Word(), p.Properties)
				} else {
					b.Node(part)
				}
			}
		})
	}
}

// follow writes the response that stands in the place of an href. One that leads out of here (mailto:) stays.
func (e *expansion) follow(b *dav.Builder, href string, list []dav.ExpandedProperty) {
	n, err := e.x.follow(href)
	e.left--
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
