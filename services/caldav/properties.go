package caldav

import (
	"net/http"
	"slices"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// A property is one whose value the server knows the meaning of (live, RFC 4918
// §4.3). What a resource has besides is kept for the client as it came.
type property struct {
	name dav.Name
	on   kinds // which resources can have it
	all  bool  // allprop shows it: those of RFC 4918 alone, as later standards ask
	// value writes it, or reports that this resource has none.
	value func(x *exchange, n *node, r *dav.Response, name dav.Name) bool
	// set changes it; nil: it is protected.
	set setter
}

// A setter gives a property a value, or takes it away if value is nil. making says
// that the collection is just being made.
type setter func(p *shelf.Props, value *dav.Element, making bool) *dav.Error

// properties is all there are, in the order in which propname lists them.
var properties = func() []*property {
	var list []*property
	for _, table := range [][]property{
		webdavProperties, rightsProperties, principalProperties, collectionProperties, calendarProperties, schedulingProperties, contactProperties, pushProperties,
	} {
		for i := range table {
			list = append(list, &table[i])
		}
	}
	return list
}

// live finds properties by name. A name may stand in several tables, for different
// kinds.
var live = func() map[dav.Name][]*property {
	m := map[dav.Name][]*property{}
	for _, p := range properties() {
		m[p.name] = append(m[p.name], p)
	}
	return m
}()

// liveOn returns the property of that name on resources of a kind, or nil.
func liveOn(name dav.Name, k kind) *property {
	for _, p := range live[name] {
		if p.on.has(k) {
			return p
		}
	}
	return nil
}

// A Selection is what a request wants to know of each of many resources, looked up
// once per kind.
type selection struct {
	want *dav.Want
	of   [file + 1][]*property // parallel to want.Props; nil where it is not live
	seen kinds
}

func selected(want *dav.Want) *selection { return &selection{want: want} }

func (s *selection) on(k kind) []*property {
	if !s.seen.has(k) {
		s.seen |= of(k)
		list := make([]*property, len(s.want.Props))
		for i, name := range s.want.Props {
			list[i] = liveOn(name, k)
		}
		s.of[k] = list
	}
	return s.of[k]
}

// describe writes what is wanted of one resource; the caller calls r.Done.
func (x *exchange) describe(n *node, s *selection, r *dav.Response) {
	if s.want.PropName {
		x.names(n, r)
		return
	}
	var kept []dav.Prop
	list := s.on(n.kind)
	if s.want.AllProp || slices.Contains(list, nil) {
		kept = n.deadProps()
	}
	if s.want.AllProp {
		x.everything(n, kept, r)
	}
	for i, p := range list {
		name := s.want.Props[i]
		switch {
		case p == nil:
			dead(kept, r, name, s.want.AllProp)
		case p.all && s.want.AllProp:
			// written above
		case !p.value(x, n, r, name):
			r.Missing(name)
		}
	}
}

// everything writes what allprop asks for (RFC 4918 §9.1).
func (x *exchange) everything(n *node, kept []dav.Prop, r *dav.Response) {
	for _, p := range live4918 {
		if p.on.has(n.kind) {
			p.value(x, n, r, p.name)
		}
	}
	for _, d := range kept {
		r.Prop(d)
	}
}

var live4918 = func() (list []*property) {
	for _, p := range properties() {
		if p.all {
			list = append(list, p)
		}
	}
	return list
}()

// names writes what propname asks for: those that have a value, without it.
func (x *exchange) names(n *node, r *dav.Response) {
	for _, p := range properties() {
		if p.on.has(n.kind) && x.has(n, p) {
			r.Empty(p.name)
		}
	}
	for _, d := range n.deadProps() {
		r.Empty(d.Name)
	}
}

// has reports whether a resource has a property.
func (x *exchange) has(n *node, p *property) bool {
	r := dav.NewMultistatus(discard{}).Response("")
	return p.value(x, n, r, p.name)
}

// discard takes what is written to see whether it is there.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) WriteHeader(int)             {}
func (discard) Write(b []byte) (int, error) { return len(b), nil }

// dead writes a property that was kept for the client, unless that is done.
func dead(kept []dav.Prop, r *dav.Response, name dav.Name, done bool) {
	i := slices.IndexFunc(kept, func(d dav.Prop) bool { return d.Name == name })
	switch {
	case i < 0:
		r.Missing(name)
	case !done:
		r.Prop(kept[i])
	}
}
