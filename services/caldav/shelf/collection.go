package shelf

import (
	"fmt"
	"io/fs"
	"iter"
	"sync"

	"cairn/store"
)

// A Collection is a calendar, an address book or an inbox, as it is in a Snapshot
// or, within an Update, in an Edit with what was changed so far. Those of a
// Snapshot are safe for concurrent use.
type Collection struct {
	Kind Kind
	Name string

	snap  *Snapshot
	dir   string      // its folder on the branch
	tree  *store.Tree // where its content comes from; nil when it has none
	from  string      // the folder there
	hash  store.Hash  // of that folder
	props *Props
	born  *birthdays // what it is computed from; nil for all others

	once sync.Once
	what *content
	err  error

	over *overlay // what an Edit has changed; nil in a Snapshot
}

// A Resource is a calendar or address object in a collection.
type Resource struct {
	Name string
	ETag store.Hash // of its bytes
	Size int64

	in   string // the folder below the collection's, with a slash at its end
	file string // its file in there
	data []byte // of what an Edit has put
}

// User is whose collection it is.
func (c *Collection) User() string { return c.snap.user }

// Path returns what names the collection.
func (c *Collection) Path() Path { return Path{Kind: c.Kind, Collection: c.Name} }

// Dir is its folder on the branch, such as "calendars/home".
func (c *Collection) Dir() string { return c.dir }

// File is the path of a resource's file on the branch.
func (c *Collection) File(r Resource) string { return c.dir + "/" + r.in + r.file }

// Exists is false for a default collection that nobody has put anything into, and for
// such an inbox: it has no folder yet.
func (c *Collection) Exists() bool { return c.tree != nil || c.over != nil }

// Conflicts says that in it is what could not be merged.
func (c *Collection) Conflicts() bool { return c.Name == Conflicts && c.Kind != Inbox }

// Props returns the collection's properties. Shared: nobody changes them.
func (c *Collection) Props() *Props { return c.props }

// CTag changes whenever anything in the collection does, its properties too: it is
// the hash of its folder.
func (c *Collection) CTag() string { return c.hash.String() }

// content is computed once.
func (c *Collection) content() (*content, error) {
	c.once.Do(func() {
		if c.born != nil {
			c.what, c.err = c.born.content(c.hash)
		} else {
			c.what, c.err = c.snap.shelf.content(c.Kind, c.tree, c.from, c.hash)
		}
	})
	if c.err != nil {
		return nil, fmt.Errorf("list %s of %q: %w", c.Path(), c.snap.user, c.err)
	}
	return c.what, nil
}

// Resources yields the resources, in no order that matters. After an error it ends.
func (c *Collection) Resources() iter.Seq2[Resource, error] {
	return func(yield func(Resource, error) bool) {
		what, err := c.content()
		if err != nil {
			yield(Resource{}, err)
			return
		}
		for r := range what.resources() {
			if c.over.hides(r.Name) {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
		c.over.each(yield)
	}
}

// Resource returns one resource; absent is fs.ErrNotExist.
func (c *Collection) Resource(name string) (Resource, error) {
	if r, ok := c.over.get(name); ok {
		if r == nil {
			return Resource{}, c.absent(name)
		}
		return *r, nil
	}
	what, err := c.content()
	if err != nil {
		return Resource{}, err
	}
	r, ok := what.find(name, c.Kind.ext())
	if !ok {
		return Resource{}, c.absent(name)
	}
	return r, nil
}

func (c *Collection) absent(name string) error {
	return fmt.Errorf("%s/%s of %q: %w", c.Path(), name, c.snap.user, fs.ErrNotExist)
}

// Read returns a resource's bytes. They are shared: nobody changes them.
func (c *Collection) Read(r Resource) ([]byte, error) {
	if r.data != nil {
		return r.data, nil
	}
	if c.born != nil {
		return c.readBirthday(r)
	}
	data, _, err := c.tree.Blob(c.from + "/" + r.in + r.file)
	return data, err
}
