package caldav

import (
	"errors"
	"io/fs"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// members yields what is in a collection, and of folders, if deep, what is below.
// The node that it yields is good until yield returns.
func (x *exchange) members(n *node, deep bool, yield func(*node) error) error {
	switch n.kind {
	case root:
		return x.eachPlace(yield, place{kind: principals, space: principalSpace},
			place{kind: homes, space: calendarSpace}, place{kind: homes, space: contactSpace}, place{kind: homes, space: fileSpace})
	case homes:
		return x.eachPlace(yield, place{kind: homeOf[n.space], space: n.space, user: x.user.Name})
	case principals:
		return x.eachPerson(yield)
	case calendarHome:
		if err := x.eachCollection(n, yield); err != nil {
			return err
		}
		return x.eachPlace(yield, n.below(inbox, inboxName), n.below(outbox, outboxName))
	case contactHome:
		return x.eachCollection(n, yield)
	case calendar, addressbook, inbox:
		return n.eachObject(yield)
	case folder:
		return n.eachFile(deep, yield)
	}
	return nil
}

// homeOf is the kind of the homes in a space.
var homeOf = map[string]kind{calendarSpace: calendarHome, contactSpace: contactHome, fileSpace: folder}

// objectOf is the kind of what is in a collection.
var objectOf = map[kind]kind{calendar: event, inbox: message, addressbook: card}

func (x *exchange) eachPlace(yield func(*node) error, list ...place) error {
	for _, p := range list {
		n, err := x.resolve(p)
		if err == nil {
			err = yield(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exchange) eachPerson(yield func(*node) error) error {
	list, err := x.Accounts.Users(x.ctx())
	if err != nil {
		x.log().Warn("accounts that cannot be read", "err", err)
	}
	for _, u := range list {
		if err := x.eachPlace(yield, place{kind: principal, space: principalSpace, user: u.Name}); err != nil {
			return err
		}
	}
	return nil
}

// eachCollection yields a person's own collections, and then what others share.
func (x *exchange) eachCollection(n *node, yield func(*node) error) error {
	kind := shelf.Kind(n.space)
	mine, err := n.in.Collections(kind)
	if err != nil {
		return err
	}
	for _, c := range mine {
		if n.kind == calendarHome && (c.Name == inboxName || c.Name == outboxName) {
			continue // pushed under a name that leads elsewhere
		}
		if err := x.yieldCollection(n, n.in, c, c.Name, yield); err != nil {
			return err
		}
	}
	shared, err := x.Shelf.SharedWith(x.ctx(), x.user.Name)
	if err != nil {
		return err
	}
	for _, c := range shared {
		if c.Kind != kind {
			continue
		}
		if err := x.yieldShared(n, c, yield); err != nil {
			return err
		}
	}
	return nil
}

// yieldShared yields what somebody else shares. Somebody who is no more shares
// nothing.
func (x *exchange) yieldShared(home *node, c shelf.Shared, yield func(*node) error) error {
	n, err := x.resolve(home.below(collectionOf[home.kind], sharedAs(c.Owner, c.Name)))
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return yield(n)
}

// collectionOf is the kind of the collections in a home.
var collectionOf = map[kind]kind{calendarHome: calendar, contactHome: addressbook}

func (x *exchange) yieldCollection(home *node, in *view, c *shelf.Collection, name string, yield func(*node) error) error {
	n := home.child(collectionOf[home.kind], name)
	n.in, n.col, n.spot.path = in, c, c.Path()
	n.root = n.spot.path.String()
	n.access = x.rights(n)
	return yield(n)
}

// below is the place of a member.
func (n *node) below(k kind, name string) place {
	return n.child(k, name).place
}

// eachObject yields what is in a collection, in one node that changes.
func (n *node) eachObject(yield func(*node) error) error {
	c := n.child(objectOf[n.kind], "")
	root := n.root + "/"
	if _, err := n.in.tree.Lookup(n.col.Dir() + "/" + fileProps); n.in.edit == nil && errors.Is(err, fs.ErrNotExist) {
		c.bare = true
	}
	for r, err := range n.col.Resources() {
		if err != nil {
			return err
		}
		c.setObject(n, r)
		c.root = root + r.Name
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

// setObject makes c the node of a resource of the collection n.
func (c *node) setObject(n *node, r shelf.Resource) {
	c.names[len(c.names)-1] = r.Name
	c.href = n.href + dav.EscapeName(r.Name)
	c.path.Name = r.Name
	c.res = r
}
