package shelf

import (
	"fmt"
	"io/fs"
)

// Remove removes a resource or a collection with all that is in it. Absent is
// fs.ErrNotExist.
func (e *Edit) Remove(p Path) error {
	c, err := e.draft(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	if p.Name == "" {
		return e.drop(c)
	}
	before, err := c.Resource(p.Name)
	if err != nil {
		return err
	}
	return e.remove(c, before)
}

func (e *Edit) remove(c *Collection, before Resource) error {
	if c.born != nil {
		return fmt.Errorf("remove from %s: %w", c.Path(), fs.ErrPermission)
	}
	x, err := c.record(before)
	if err != nil {
		return err
	}
	if err := e.tx.Remove(c.File(before)); err != nil {
		return err
	}
	if err := e.setResourceProps(c, before.Name, nil); err != nil {
		return err
	}
	c.over.set(before.Name, &before, x.uid, nil, "")
	return nil
}

func (e *Edit) drop(c *Collection) error {
	if c.Kind == Inbox {
		return fmt.Errorf("remove %s: %w", c.Path(), fs.ErrInvalid)
	}
	e.drafts[c.Path()] = nil
	if err := e.tx.Remove(c.dir); err != nil {
		return err
	}
	if e.madeAny(c.Kind) {
		return nil
	}
	// Without its folder the kind would have its default collection again.
	return e.putProps(kindProps(c.Kind), e.Props(c.Kind))
}
