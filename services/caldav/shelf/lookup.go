package shelf

import (
	"fmt"
	"io/fs"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/vcard"
)

// Event returns what is known of a resource of a calendar or inbox without reading
// it again. For one that is no calendar, the error is an *ical.Error.
func (c *Collection) Event(r Resource) (*ical.Index, error) {
	x, err := c.record(r)
	if err != nil {
		return nil, err
	}
	return x.event, x.err
}

// Card is Event for address books; its error is a *vcard.Error.
func (c *Collection) Card(r Resource) (*vcard.Index, error) {
	x, err := c.record(r)
	if err != nil {
		return nil, err
	}
	return x.card, x.err
}

// ByUID returns the resource whose objects have this UID; absent is fs.ErrNotExist.
// Where several have, which only an inbox may, it is one of them.
func (c *Collection) ByUID(uid string) (Resource, error) {
	if r := c.over.byUID(uid); r != nil {
		return *r, nil
	}
	what, err := c.content()
	if err != nil {
		return Resource{}, err
	}
	found := Resource{}
	err = what.byUID(c, uid, func(r Resource) bool {
		if c.over.hides(r.Name) {
			return true
		}
		found = r
		return false
	})
	if err == nil && found.Name == "" {
		err = fmt.Errorf("UID %q in %s of %q: %w", uid, c.Path(), c.snap.user, fs.ErrNotExist)
	}
	return found, err
}

// ResourceProps returns the dead properties of one resource.
func (c *Collection) ResourceProps(r Resource) ([]Dead, error) {
	if c.over != nil {
		if list, ok := c.over.props[r.Name]; ok {
			return list, nil
		}
	}
	if c.tree == nil {
		return nil, nil
	}
	file, err := resourcePropsFile(r.Name)
	if err != nil {
		return nil, nil // none could be given to it
	}
	p, err := c.snap.readProps(c.tree, c.from+"/"+file)
	if err != nil {
		return nil, err
	}
	return p.Dead, nil
}
