package shelf

import (
	"errors"
	"fmt"
	"io/fs"

	"cairn/store/object"
)

// Copy makes a resource or a collection again at another path, perhaps with another
// person: src is that person's Edit, or e. No content is written. What is at to must have
// been removed before: fs.ErrExist. Errors besides: those of Put and Make.
//
// A collection's shares, links and source stay behind.
func (e *Edit) Copy(src *Edit, from, to Path) error {
	c, err := src.Collection(from.Kind, from.Collection)
	if err != nil {
		return err
	}
	if from.Name == "" {
		return e.copyCollection(c, to, c.props.copied())
	}
	return e.copyResource(c, from.Name, to)
}

// Move is Copy, and then the removal of what was copied. A collection keeps all of its
// properties where it stays with the same person.
func (e *Edit) Move(src *Edit, from, to Path) error {
	c, err := src.draft(from.Kind, from.Collection)
	if err != nil {
		return err
	}
	if from.Name == "" {
		props := c.props
		if e.user != src.user {
			props = props.copied()
		}
		if err := e.copyCollection(c, to, props); err != nil {
			return err
		}
		return src.Remove(from)
	}
	r, err := c.Resource(from.Name)
	if err != nil {
		return err
	}
	o, dead, err := c.object(r)
	if err != nil {
		return err
	}
	if err := e.fits(to, o.UID, c, r); err != nil {
		return err
	}
	// It goes first, for its UID may be in its own way.
	if err := src.remove(c, r); err != nil {
		return err
	}
	return e.place(to, o, dead)
}

func (e *Edit) copyResource(c *Collection, name string, to Path) error {
	r, err := c.Resource(name)
	if err != nil {
		return err
	}
	o, dead, err := c.object(r)
	if err != nil {
		return err
	}
	if err := e.free(to); err != nil {
		return err
	}
	return e.place(to, o, dead)
}

// object returns a resource as something to put.
func (c *Collection) object(r Resource) (*Object, []Dead, error) {
	data, err := c.Read(r)
	if err != nil {
		return nil, nil, err
	}
	x, err := c.record(r)
	if err != nil {
		return nil, nil, err
	}
	dead, err := c.ResourceProps(r)
	// What this very Update has put, on another branch perhaps, is not in the
	// repository yet; nor is what is computed.
	return &Object{Kind: c.Kind, Data: data, Hash: r.ETag, UID: x.uid, fresh: r.data != nil || c.born != nil}, dead, err
}

// fits says whether a resource could be moved to a path.
func (e *Edit) fits(to Path, uid string, from *Collection, r Resource) error {
	if err := e.free(to); err != nil {
		return err
	}
	c, err := e.draft(to.Kind, to.Collection)
	if err != nil {
		return err
	}
	if _, _, err := c.place(to.Name); err != nil {
		return err
	}
	err = c.checkUID(to.Name, "", uid)
	if taken, ok := errors.AsType[*UIDError](err); ok && c == from && taken.Name == r.Name {
		err = nil
	}
	return err
}

// free says that there is no resource at a path.
func (e *Edit) free(p Path) error {
	c, err := e.Collection(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	_, err = c.Resource(p.Name)
	switch {
	case err == nil:
		return fmt.Errorf("%s of %q: %w", p, e.user, fs.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// place puts an object of another collection.
func (e *Edit) place(to Path, o *Object, dead []Dead) error {
	c, err := e.draft(to.Kind, to.Collection)
	if err != nil {
		return err
	}
	_, err = e.put(c, to.Name, o, func(at string) error {
		if o.fresh {
			return e.tx.Put(at, o.Data)
		}
		return e.tx.Link(at, object.Entry{Mode: object.ModeFile, Hash: o.Hash})
	})
	if err == nil && len(dead) > 0 {
		err = e.setResourceProps(c, to.Name, dead)
	}
	return err
}

// copyCollection names a whole folder again, and then does to it what this Update
// has done to c.
func (e *Edit) copyCollection(c *Collection, to Path, props *Props) error {
	if c.Kind != to.Kind || c.Kind == Inbox {
		return fmt.Errorf("copy %s to %s: %w", c.Path(), to, fs.ErrInvalid)
	}
	dir, err := e.vacant(to)
	if err != nil {
		return err
	}
	d := c.derive(e.Snapshot, to.Collection, dir)
	if !props.Birthdays {
		d.born = nil
	}
	if c.tree != nil {
		folder, err := c.tree.Lookup(c.from)
		if err != nil {
			return err
		}
		if err := e.tx.Link(dir, folder); err != nil {
			return err
		}
	}
	e.drafts[to] = d
	if err := e.replay(c, d); err != nil {
		return err
	}
	return e.setProps(d, props)
}

// replay writes what the overlay of c says into the folder of d.
func (e *Edit) replay(c, d *Collection) error {
	if c.over == nil {
		return nil
	}
	what, err := c.content()
	if err != nil {
		return err
	}
	for name, now := range c.over.changed {
		if was, ok := what.find(name, c.Kind.ext()); ok {
			if err := e.tx.Remove(d.File(was)); err != nil {
				return err
			}
		}
		if now == nil {
			continue
		}
		data, err := c.Read(*now)
		if err != nil {
			return err
		}
		if err := e.tx.Put(d.File(*now), data); err != nil {
			return err
		}
	}
	for name, list := range c.over.props {
		if err := e.setResourceProps(d, name, list); err != nil {
			return err
		}
	}
	return nil
}
