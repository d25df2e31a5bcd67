package caldav

import (
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
