package caldav

import (
	"errors"
	"io/fs"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/shelf"
)

// resolve finds what is at a place now.
func (x *exchange) resolve(p place) (*node, error) { return x.find(p, x.snapshots()) }

// find finds what is at a place; absent is errNothingHere.
func (x *exchange) find(p place, of views) (*node, error) {
	n := &node{place: p, access: accessRead}
	switch p.kind {
	case nowhere:
		return nil, errNothingHere
	case root, principals, homes:
		n.href = n.place.href()
		return n, nil
	case principal:
		return x.findPerson(n)
	}
	var err error
	if n.spot, err = x.spot(p); err != nil {
		return nil, err
	}
	if n.person, err = x.Accounts.User(x.ctx(), n.owner); err != nil {
		return nil, hidden(err)
	}
	if n.in, err = of(n.owner); err != nil {
		return nil, err
	}
	n.access = accessOwn
	if p.space == fileSpace {
		err = n.findFile()
	} else {
		err = x.findObject(n, of)
	}
	if err != nil {
		return nil, err
	}
	n.href = n.place.href()
	return n, nil
}

func (x *exchange) findPerson(n *node) (*node, error) {
	u, err := x.Accounts.Find(x.ctx(), n.user)
	if err != nil {
		return nil, hidden(err)
	}
	n.person, n.href, n.owner = u, n.place.href(), u.Name
	if u.Name == x.user.Name {
		n.access = accessOwn
		if n.in, err = x.snapshots()(u.Name); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// sees makes sure, before anything else is asked about it, that somebody else
// shares a collection with the user.
func (x *exchange) sees(s spot) error {
	if _, err := x.Accounts.User(x.ctx(), s.owner); err != nil {
		return hidden(err)
	}
	v, err := x.snapshots()(s.owner)
	if err != nil {
		return err
	}
	c, err := v.Collection(s.path.Kind, s.path.Collection)
	if err == nil && c.Access(x.user.Name) == shelf.NoAccess {
		err = errNothingHere
	}
	return hidden(err)
}

// sharedName takes apart the name under which another person's collection is in
// somebody's home.
func sharedName(name string) (owner, collection string, ok bool) {
	rest, ok := strings.CutPrefix(name, "~")
	if !ok {
		return "", "", false
	}
	owner, collection, ok = strings.Cut(rest, "~")
	return owner, collection, ok && accounts.ValidName(owner) && collection != ""
}

// sharedAs is the name under which a collection is in others' homes.
func sharedAs(owner, collection string) string { return "~" + owner + "~" + collection }

// findObject finds collections and what is in them.
func (x *exchange) findObject(n *node, of views) error {
	if n.kind == calendarHome || n.kind == contactHome || n.kind == outbox {
		return nil
	}
	var err error
	n.col, err = n.in.Collection(n.path.Kind, n.path.Collection)
	if err != nil {
		return hidden(err)
	}
	n.access = x.rights(n)
	if n.access == accessNone {
		return errNothingHere
	}
	if n.owner != x.user.Name && n.path.Name == "" {
		mine, err := of(x.user.Name)
		if err != nil {
			return err
		}
		n.look = mine.Props(n.path.Kind).Looks[n.lookKey()]
	}
	if n.path.Name != "" {
		n.res, err = n.col.Resource(n.path.Name)
	}
	return hidden(err)
}

// rights returns what the user may do with a collection and what is in it.
func (x *exchange) rights(n *node) access {
	if n.owner == x.user.Name {
		if n.col.ReadOnly() {
			return accessKeep
		}
		return accessOwn
	}
	switch a := n.col.Access(x.user.Name); {
	case a == shelf.ReadWrite && !n.col.ReadOnly():
		return accessWrite
	case a != shelf.NoAccess:
		return accessRead
	}
	return accessNone
}

// hidden makes all absence alike.
func hidden(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errNothingHere
	}
	return err
}
