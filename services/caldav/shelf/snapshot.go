package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A Kind is what a collection holds, and the folder that it lies in.
type Kind string

// The kinds of collection. There is one Inbox, whose name is "".
const (
	Calendars Kind = "calendars"
	Contacts  Kind = "contacts"
	Inbox     Kind = "inbox"
)

// Kinds lists them.
var Kinds = [...]Kind{Calendars, Contacts, Inbox}

// ext is how the files of a kind's resources end.
func (k Kind) ext() string {
	if k == Contacts {
		return ".vcf"
	}
	return ".ics"
}

// Conflicts is the collection of calendars, and that of contacts, into which goes
// what could not be merged. What is in it does not take part in scheduling and
// free-busy.
const Conflicts = "conflicts"

// defaults are shown to who has none of the kind yet.
var defaults = map[Kind]struct {
	name  string
	props Props
}{
	Calendars: {"home", Props{DisplayName: "Calendar"}},
	Contacts:  {"contacts", Props{DisplayName: "Contacts"}},
}

// A Path names a person's resource, collection (Name is ""), folder of collections
// (Collection is "" too, but for the Inbox) or home as a whole (the zero Path), by the names
// that clients know.
type Path struct {
	Kind             Kind
	Collection, Name string
}

// String is for messages.
func (p Path) String() string {
	return strings.Trim(strings.ReplaceAll(string(p.Kind)+"/"+p.Collection+"/"+p.Name, "//", "/"), "/")
}

// A Snapshot is what a person has at one commit. Safe for concurrent use.
type Snapshot struct {
	shelf *Shelf
	user  string
	tree  *store.Tree
}

// User is whose it is.
func (s *Snapshot) User() string { return s.user }

// Tree is the branch's snapshot; an empty one when there is no branch yet.
func (s *Snapshot) Tree() *store.Tree { return s.tree }

// Commit is Zero when there is no branch yet.
func (s *Snapshot) Commit() store.Hash {
	rev, _ := s.tree.Commit()
	return rev.Hash
}

// Time is when the commit was made.
func (s *Snapshot) Time() time.Time { return s.tree.Time() }

// Props returns the properties of the home as a whole (zero Path) or of the folder
// in which the collections of a kind are; none where they cannot be read. Shared:
// nobody changes them.
func (s *Snapshot) Props(kind Kind) *Props {
	p, err := s.readProps(s.tree, kindProps(kind))
	if err != nil {
		s.shelf.o.Log.Error("read properties", "user", s.user, "kind", kind, "err", err)
		return &Props{}
	}
	return p
}

// kindProps is the file of those properties.
func kindProps(kind Kind) string { return strings.TrimPrefix(string(kind)+"/"+propsFile, "/") }

// Collections returns the collections of a kind, in the order of their names.
func (s *Snapshot) Collections(kind Kind) ([]*Collection, error) {
	if kind == Inbox {
		c, err := s.Collection(kind, "")
		return []*Collection{c}, err
	}
	if e, err := s.tree.Lookup(string(kind)); err == nil && e.Mode != object.ModeDir {
		return nil, nil // somebody has put a file in their place
	}
	var list []*Collection
	for e, err := range s.tree.Entries(string(kind)) {
		if errors.Is(err, fs.ErrNotExist) {
			return s.defaultOf(kind), nil
		}
		if err != nil {
			return nil, fmt.Errorf("list %s of %q: %w", kind, s.user, err)
		}
		if name, ok := s.collectionName(kind, e); ok {
			c, err := s.collection(kind, name, string(kind)+"/"+e.Name, e.Hash)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Collection) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// collectionName is how clients know a folder among collections. Of two that could
// have the same name, the one whose name needed less escaping has it.
func (s *Snapshot) collectionName(kind Kind, e object.Entry) (string, bool) {
	if e.Mode != object.ModeDir || strings.HasPrefix(e.Name, ".") {
		return "", false
	}
	name, ok := ResourceName(e.Name)
	if !ok || strings.HasPrefix(name, handmade) {
		return handmadeName(e.Name), true
	}
	if first := escape(name); first != e.Name {
		if other, err := s.tree.Lookup(string(kind) + "/" + first); err == nil && other.Mode == object.ModeDir {
			return handmadeName(e.Name), true
		}
	}
	return name, true
}

// Collection returns one collection; absent is fs.ErrNotExist. The Inbox is always
// there.
func (s *Snapshot) Collection(kind Kind, name string) (*Collection, error) {
	for _, dir := range collectionDirs(kind, name) {
		e, err := s.tree.Lookup(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("look up %s of %q: %w", dir, s.user, err)
		case e.Mode == object.ModeDir:
			if kind == Inbox {
				return s.collection(kind, name, dir, e.Hash)
			}
			if shown, ok := s.collectionName(kind, e); ok && shown == name {
				return s.collection(kind, name, dir, e.Hash)
			}
		}
	}
	if kind == Inbox && name == "" {
		return &Collection{Kind: Inbox, snap: s, dir: string(Inbox), props: &Props{}}, nil
	}
	if _, err := s.tree.Lookup(string(kind)); name == defaults[kind].name && name != "" && errors.Is(err, fs.ErrNotExist) {
		return s.defaultOf(kind)[0], nil
	}
	return nil, fmt.Errorf("%s/%s of %q: %w", kind, name, s.user, fs.ErrNotExist)
}

// defaultOf returns the default collection of a kind, which does not exist.
func (s *Snapshot) defaultOf(kind Kind) []*Collection {
	d, ok := defaults[kind]
	if !ok {
		return nil
	}
	return []*Collection{{Kind: kind, Name: d.name, snap: s, dir: string(kind) + "/" + d.name, props: &d.props}}
}

// collectionDirs returns the folders that a collection may lie in.
func collectionDirs(kind Kind, name string) (dirs []string) {
	if kind == Inbox {
		if name != "" {
			return nil
		}
		return []string{string(Inbox)}
	}
	if rel, ok := handmadePath(name); ok {
		if strings.Contains(rel, "/") {
			return nil
		}
		return []string{string(kind) + "/" + rel}
	}
	for _, form := range forms {
		if file, err := fileName(name, "", form); err == nil {
			dirs = append(dirs, string(kind)+"/"+file)
		}
	}
	return dirs
}

func (s *Snapshot) collection(kind Kind, name, dir string, h store.Hash) (*Collection, error) {
	props, err := s.readProps(s.tree, dir+"/"+propsFile)
	if err != nil {
		return nil, fmt.Errorf("read properties of %s of %q: %w", dir, s.user, err)
	}
	c := &Collection{Kind: kind, Name: name, snap: s, dir: dir, tree: s.tree, from: dir, hash: h, props: props}
	if kind == Calendars && c.props.Birthdays {
		s.bear(c)
	}
	return c, nil
}
