package caldav

import (
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// rightsProperties say who may do what (RFC 3744 §5, RFC 5397).
var rightsProperties = []property{
	{name: dav.D("current-user-principal"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Hrefs(name, principalHref(x.user.Name))
		return true
	}},
	{name: dav.D("current-user-privilege-set"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, heldXML[n.kind][n.access])
		return true
	}},
	{name: dav.D("supported-privilege-set"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, supportedXML[n.kind])
		return true
	}},
	{name: dav.D("principal-collection-set"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Hrefs(name, "/"+principalSpace+"/")
		return true
	}},
	{name: dav.D("owner"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if n.person == nil {
			return false
		}
		r.Hrefs(name, principalHref(n.person.Name))
		return true
	}},
	{name: dav.D("group"), on: everywhere, value: nobody},
	{name: dav.D("inherited-acl-set"), on: everywhere, value: nobody},
	{name: dav.D("acl"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if n.access < accessOwn {
			r.Refuse(name, 403, &dav.Error{Precondition: dav.D("need-privileges"), Hrefs: []string{n.href}, Privileges: []dav.Name{dav.D("read-acl")}})
			return true
		}
		r.Value(name, func(b *dav.Builder) { writeACL(b, n) })
		return true
	}},
	{name: dav.D("acl-restrictions"), on: everywhere, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		r.Inner(name, restrictionsXML)
		return true
	}},
}

// Values that depend on the kind and the access alone.
var (
	heldXML, supportedXML = func() (held4 [file + 1][accessOwn + 1]string, tree [file + 1]string) {
		for k := range file + 1 {
			for a := range accessOwn + 1 {
				held4[k][a] = dav.Build(func(b *dav.Builder) { writePrivilege(b, held(a, k)...) })
			}
			tree[k] = dav.Build(func(b *dav.Builder) { supported.build(b, k) })
		}
		return held4, tree
	}()
	// RFC 3744 §5.6: what an ACL may hold here.
	restrictionsXML = dav.Build(func(b *dav.Builder) {
		b.Empty(dav.D("grant-only"))
		b.Empty(dav.D("no-invert"))
	})
)

// writeACL writes who may do what with a resource: its owner everything, and those
// with whom it is shared.
func writeACL(b *dav.Builder, n *node) {
	writeACE(b, principalHref(n.person.Name), true, dav.D("all"))
	for _, user := range n.sharees() {
		names := []dav.Name{dav.D("read")}
		if n.col.Access(user) == shelf.ReadWrite {
			names = append(names, dav.D("write"))
		}
		writeACE(b, principalHref(user), leaves.has(n.kind), names...)
	}
}

func writeACE(b *dav.Builder, who string, protected bool, names ...dav.Name) {
	b.Start(dav.D("ace"))
	b.Start(dav.D("principal"))
	b.Href(who)
	b.End(dav.D("principal"))
	b.Start(dav.D("grant"))
	writePrivilege(b, names...)
	b.End(dav.D("grant"))
	if protected {
		b.Empty(dav.D("protected"))
	}
	b.End(dav.D("ace"))
}
