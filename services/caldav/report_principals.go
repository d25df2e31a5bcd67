package caldav

import (
	"net/http"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
)

// searched says where principal-property-search looks (RFC 3744 §9.4), in the order of principal-search-property-set,
// and in which words that tells people.
var searched = []struct {
	name   dav.Name
	text   string
	values func(*accounts.User) []string
}{
	{dav.DisplayName, "Name", func(u *accounts.User) []string { return []string{called(u)} }},
	{dav.CS("email-address-set"), "E-mail address", func(u *accounts.User) []string { return u.Addresses }},
	{dav.Cal("calendar-user-address-set"), "Calendar address", func(u *accounts.User) []string {
		return append(mailHrefs(u), principalHref(u.Name))
	}},
	{dav.Cal("calendar-user-type"), "Kind", func(*accounts.User) []string { return []string{"INDIVIDUAL"} }},
}

// searchable answers principal-search-property-set (RFC 3744 §9.5).
func (x *exchange) searchable() error {
	return dav.Write(x.w, http.StatusOK, dav.D("principal-search-property-set"), func(b *dav.Builder) {
		for _, p := range searched {
			b.Start(dav.D("principal-search-property"))
			b.Start(dav.D("prop"))
			b.Empty(p.name)
			b.End(dav.D("prop"))
			b.Element(dav.D("description"), p.text, dav.Lang("en"))
			b.End(dav.D("principal-search-property"))
		}
	})
}

// principalSearch answers principal-property-search (RFC 3744 §9.4). Principals are below / and /principals/; of other
// resources only those are searched that the request names by apply-to-principal-collection-set.
func (x *exchange) principalSearch(n *node, q *dav.PrincipalPropertySearch) error {
	m, _ := x.multistatus()
	if !q.Everywhere && !of(root, principals).has(n.kind) {
		return x.closing(m, nil)
	}
	s, found := selected(&q.Want), 0
	more := false
	err := x.eachPerson(func(p *node) error {
		if !meetsSearch(q, p.person) {
			return nil
		}
		if found++; q.Limit > 0 && found > q.Limit {
			more = true
			return nil
		}
		x.respond(m, p, s)
		return m.Err()
	})
	if more {
		truncated(m, n)
	}
	return x.closing(m, err)
}

// meetsSearch reports whether a person meets all searches or, if so asked, one.
func meetsSearch(q *dav.PrincipalPropertySearch, u *accounts.User) bool {
	for _, s := range q.Searches {
		if hasText(s, u) == q.AnyOf {
			return q.AnyOf
		}
	}
	return !q.AnyOf
}

// hasText reports whether each of the properties has the text. Those where nobody searches have none.
func hasText(s dav.PropertySearch, u *accounts.User) bool {
	for _, name := range s.Props {
		if !propertyHas(name, s, u) {
			return false
		}
	}
	return len(s.Props) > 0
}

func propertyHas(name dav.Name, s dav.PropertySearch, u *accounts.User) bool {
	for _, p := range searched {
		if p.name != name {
			continue
		}
		for _, v := range p.values(u) {
			if s.Text.Match(v) {
				return true
			}
		}
	}
	return false
}

// principalMatch answers principal-match (RFC 3744 §9.3): the user, if below n, or whatever below n says in a
// property that it is theirs.
func (x *exchange) principalMatch(n *node, q *dav.PrincipalMatch) error {
	m, _ := x.multistatus()
	s := selected(&q.Want)
	theirs := func(c *node) bool { return c.kind == principal && c.person.Name == x.user.Name }
	if !q.Self {
		theirs = func(c *node) bool { return x.holds(c, q.Property, principalHref(x.user.Name)) }
	}
	err := x.eachAnywhere(n, func(c *node) error {
		if theirs(c) {
			x.respond(m, c, s)
		}
		return m.Err()
	})
	return x.closing(m, err)
}

// eachAnywhere yields the principals and collections below n.
func (x *exchange) eachAnywhere(n *node, yield func(*node) error) error {
	return x.members(n, false, func(c *node) error {
		if err := yield(c); err != nil || c.col != nil || !collections.has(c.kind) || c.kind == folder {
			return err
		}
		return x.eachAnywhere(c, yield)
	})
}

// holds reports whether a property of n holds an href.
func (x *exchange) holds(n *node, name dav.Name, href string) bool {
	p := x.value(n, name)
	for _, h := range p.Hrefs() {
		if h == href {
			return true
		}
	}
	return false
}

// value returns a property of n as clients read it, or nil if it has none.
func (x *exchange) value(n *node, name dav.Name) *dav.Element {
	all, err := dav.Values(func(r *dav.Response) { x.describe(n, selected(&dav.Want{Props: []dav.Name{name}}), r) })
	if err != nil {
		x.log().Error("property", "name", name.Local, "path", n.href, "err", err)
		return nil
	}
	return all.Child(name)
}

// aclPrincipals answers acl-principal-prop-set (RFC 3744 §9.2): those that the DAV:acl of n names.
func (x *exchange) aclPrincipals(n *node, q *dav.ACLPrincipalPropSet) error {
	acl := x.value(n, dav.D("acl"))
	if acl == nil {
		return n.require(false, dav.D("read-acl"))
	}
	m, _ := x.multistatus()
	s, seen := selected(&q.Want), map[string]bool{}
	var err error
	for ace := range acl.All(dav.D("ace")) {
		for _, href := range ace.Child(dav.D("principal")).Hrefs() {
			if seen[href] || err != nil {
				continue
			}
			seen[href] = true
			var p *node
			if p, err = x.follow(href); err == nil {
				x.respond(m, p, s)
			} else if absent(err) {
				err = nil
			}
		}
	}
	return x.closing(m, err)
}
