package caldav

import (
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// shareAccess is what a resource's sharing looks like to the user.
func (n *node) shareAccess() string {
	switch {
	case n.access.owns() && len(n.sharees()) > 0:
		return "shared-owner"
	case n.access.owns():
		return "not-shared"
	case n.access == accessWrite:
		return "read-write"
	}
	return "read"
}

// writeInvite says who takes part in a shared collection. Only its owner learns
// who the others are.
func (x *exchange) writeInvite(b *dav.Builder, n *node) {
	b.Start(dav.CS("organizer"))
	b.Href(principalHref(n.person.Name))
	b.Element(dav.CS("common-name"), called(n.person))
	b.End(dav.CS("organizer"))
	for _, name := range n.sharees() {
		if !n.access.owns() && name != x.user.Name {
			continue
		}
		u, err := x.Accounts.User(x.ctx(), name)
		if err != nil {
			continue // who is no more
		}
		access := "read"
		if n.col.Access(name) == shelf.ReadWrite {
			access = "read-write"
		}
		b.Start(dav.CS("user"))
		b.Href(principalHref(name))
		b.Element(dav.CS("common-name"), called(u))
		b.Empty(dav.CS("invite-accepted"))
		b.Start(dav.CS("access"))
		b.Empty(dav.CS(access))
		b.End(dav.CS("access"))
		b.End(dav.CS("user"))
	}
}
