package caldav

import (
	"math"
	"strconv"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// answerLocks answers with a lockdiscovery of some locks.
func (x *exchange) answerLocks(status int, locks []shelf.Lock, owner string) error {
	return dav.WriteProp(x.w, status, func(b *dav.Builder) {
		b.Start(dav.D("lockdiscovery"))
		x.activeLocks(b, locks, owner)
		b.End(dav.D("lockdiscovery"))
	})
}

// writeLocks writes the locks on a node.
func (x *exchange) writeLocks(b *dav.Builder, n *node) {
	all, err := n.in.lockList()
	if err != nil {
		x.log().Error("locks", "user", n.owner, "err", err)
		return
	}
	var on []shelf.Lock
	for _, l := range all {
		if covers(l, n.root) {
			on = append(on, l)
		}
	}
	x.activeLocks(b, on, n.owner)
}

// lockList is Locks, read once of a snapshot.
func (v *view) lockList() ([]shelf.Lock, error) {
	if v.edit != nil {
		return v.Locks()
	}
	if !v.haveLocks {
		list, err := v.Locks()
		if err != nil {
			return nil, err
		}
		v.locks, v.haveLocks = list, true
	}
	return v.locks, nil
}

// activeLocks writes locks as RFC 4918 §14.1 has them.
func (x *exchange) activeLocks(b *dav.Builder, locks []shelf.Lock, owner string) {
	for _, l := range locks {
		scope, depth := "exclusive", "0"
		if l.Shared {
			scope = "shared"
		}
		if l.Infinite {
			depth = "infinity"
		}
		b.Start(dav.D("activelock"))
		nest(b, "locktype", "write")
		nest(b, "lockscope", scope)
		b.Element(dav.D("depth"), depth)
		if l.Owner != "" {
			b.Prop(dav.Prop{Name: dav.D("owner"), XML: l.Owner})
		}
		left := math.Ceil(l.Expires.Sub(x.now()).Seconds())
		b.Element(dav.D("timeout"), "Second-"+strconv.Itoa(max(0, int(left))))
		b.Start(dav.D("locktoken"))
		b.Href(l.Token)
		b.End(dav.D("locktoken"))
		b.Start(dav.D("lockroot"))
		b.Href(x.lockHref(&l, owner, x.snapshots()))
		b.End(dav.D("lockroot"))
		b.End(dav.D("activelock"))
	}
}

func nest(b *dav.Builder, outer, inner string) {
	b.Start(dav.D(outer))
	b.Empty(dav.D(inner))
	b.End(dav.D(outer))
}
