package caldav

import (
	"errors"
	"io/fs"
	"iter"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// A node is a resource that exists, as one view shows it.
type node struct {
	place
	spot
	href   string // escaped, as the client spells it
	access access
	person *accounts.User // whose it is; nil for what is everybody's

	in    *view             // nil for what lies on no branch
	col   *shelf.Collection // of calendars, address books, the inbox and what is in them
	look  shelf.Look        // of a collection that somebody else shares: how the user wants it
	res   shelf.Resource    // of objects
	bare  bool              // nothing in col has properties of its own
	entry object.Entry      // of files and folders; zero for a home that is not there yet
}

// A spot is where on whose branch something is, whether or not it is there.
type spot struct {
	owner string     // a user's name
	path  shelf.Path // of what the shelf keeps
	file  string     // of files and folders: the path on the branch
	root  string     // as locks name it: of names as clients know them
}

// A view is what one person has: a snapshot, or an edit while the request changes
// it. Both are asked in the same words.
type view struct {
	shelves
	tree  reader
	blobs *store.Tree // the snapshot
	edit  *shelf.Edit // nil in a snapshot

	locks     []shelf.Lock // of a snapshot, once asked for
	haveLocks bool
}

type shelves interface {
	Collection(shelf.Kind, string) (*shelf.Collection, error)
	Collections(shelf.Kind) ([]*shelf.Collection, error)
	Props(shelf.Kind) *shelf.Props
	Locks() ([]shelf.Lock, error)
}

type reader interface {
	Lookup(path string) (object.Entry, error)
	Blob(path string) ([]byte, store.Hash, error)
	Entries(path string) iter.Seq2[object.Entry, error]
}

// views finds the view of a user.
type views func(user string) (*view, error)

// snapshots are views of what everybody has now, each taken once, so that an answer
// is about one moment.
func (x *exchange) snapshots() views {
	return func(user string) (*view, error) {
		if v := x.seen[user]; v != nil {
			return v, nil
		}
		s, err := x.Shelf.Snapshot(x.ctx(), user)
		if err != nil {
			return nil, err
		}
		if x.seen == nil {
			x.seen = map[string]*view{}
		}
		v := &view{shelves: s, tree: s.Tree(), blobs: s.Tree()}
		x.seen[user] = v
		return v, nil
	}
}

// editing are views of what an update is changing, and snapshots of what it is
// not.
func (x *exchange) editing(edits map[string]*shelf.Edit) views {
	return func(user string) (*view, error) {
		if e := edits[user]; e != nil {
			return &view{shelves: e, tree: e.Tx(), blobs: e.Tree(), edit: e}, nil
		}
		return x.snapshots()(user)
	}
}

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

// spot says where a place on somebody's branch is. What others share has a name
// that says whose it is.
func (x *exchange) spot(p place) (spot, error) {
	s := spot{owner: x.user.Name}
	if p.space == fileSpace {
		var err error
		s.file, err = filePath(p.names)
		s.root = strings.Join(append([]string{fileSpace}, p.names...), "/")
		return s, err
	}
	s.path.Kind = shelf.Kind(p.space)
	if p.kind == calendarHome || p.kind == contactHome {
		s.root = p.space
		return s, nil
	}
	if scheduling.has(p.kind) || p.kind == message {
		s.path.Kind = shelf.Inbox
	} else {
		s.path.Collection = p.names[0]
		if owner, name, ok := sharedName(p.names[0]); ok && owner != x.user.Name {
			s.owner, s.path.Collection = owner, name
			if err := x.sees(s); err != nil {
				return spot{}, err
			}
		}
	}
	if len(p.names) > 1 {
		s.path.Name = p.names[1]
	}
	s.root = s.path.String()
	return s, nil
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

// require refuses what a node's access does not include (RFC 3744 §7.1.1).
func (n *node) require(ok bool, p dav.Name) error {
	if ok {
		return nil
	}
	return &dav.Error{Status: 403, Precondition: dav.D("need-privileges"), Hrefs: []string{n.href}, Privileges: []dav.Name{p}}
}

// child is a node below n that is in the same view; the caller gives it its
// content.
func (n *node) child(k kind, name string) *node {
	c := *n
	c.kind = k
	c.names = append(c.names[:len(c.names):len(c.names)], name)
	c.href = n.href + dav.EscapeName(name)
	if collections.has(k) {
		c.href += "/"
	}
	return &c
}

// change makes one commit in the user's name on the branches of some people.
func (x *exchange) change(what string, owners []string, f func(of views, edits map[string]*shelf.Edit) error) error {
	ch := store.Change{Author: x.user.Signature(), Message: what + "\n"}
	var before []*shelf.Snapshot
	err := x.Shelf.Update(x.ctx(), ch, owners, func(edits map[string]*shelf.Edit) error {
		before = before[:0]
		for _, e := range edits {
			before = append(before, e.Snapshot)
		}
		return f(x.editing(edits), edits)
	})
	if err == nil {
		x.dontNotify(before)
	}
	return err
}
