package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// madeAny says that the folder of a kind exists by now, so that there is no
// default collection unless it was made.
func (e *Edit) madeAny(kind Kind) bool {
	_, err := e.tx.Lookup(string(kind))
	return err == nil
}

// draft returns a collection that may be changed; a default one is made.
func (e *Edit) draft(kind Kind, name string) (*Collection, error) {
	c, err := e.Collection(kind, name)
	if err != nil {
		return nil, err
	}
	if c.over != nil {
		return c, nil
	}
	if !c.Exists() && kind != Inbox {
		if err := e.makeDefaults(kind); err != nil {
			return nil, err
		}
		return e.drafts[c.Path()], nil
	}
	d := c.derive(e.Snapshot, c.Name, c.dir)
	e.drafts[c.Path()] = d
	return d, nil
}

// derive returns a draft with the content of c.
func (c *Collection) derive(s *Snapshot, name, dir string) *Collection {
	return &Collection{Kind: c.Kind, Name: name, snap: s, dir: dir, tree: c.tree, from: c.from, hash: c.hash, props: c.props, born: c.born, over: c.over.clone()}
}

// makeDefaults makes the default collection of a kind if there is none of the kind
// yet: whatever else is made, it shall not vanish.
func (e *Edit) makeDefaults(kind Kind) error {
	if kind == Inbox || e.madeAny(kind) {
		return nil
	}
	for _, c := range e.defaultOf(kind) {
		if err := e.make(c.Path(), c.dir, c.props); err != nil {
			return err
		}
	}
	return nil
}

func (e *Edit) make(p Path, dir string, props *Props) error {
	c := &Collection{Kind: p.Kind, Name: p.Collection, snap: e.Snapshot, dir: dir, over: newOverlay()}
	e.drafts[p] = c
	return e.setProps(c, props)
}

// Make makes a collection, which is empty unless it is of birthdays. One that is there is fs.ErrExist, a name that
// cannot be had a *NameError.
func (e *Edit) Make(p Path, props *Props) error {
	dir, err := e.vacant(p)
	if err != nil {
		return err
	}
	return e.make(p, dir, props)
}

// vacant returns the folder for a collection that does not exist.
func (e *Edit) vacant(p Path) (dir string, err error) {
	if p.Kind != Calendars && p.Kind != Contacts || p.Name != "" {
		return "", fmt.Errorf("make %s: %w", p, fs.ErrInvalid)
	}
	if strings.HasPrefix(p.Collection, handmade) {
		return "", &NameError{p.Collection, "begins with ~"}
	}
	if _, err := fileName(p.Collection, "", escape); err != nil {
		return "", err
	}
	if err := e.makeDefaults(p.Kind); err != nil {
		return "", err
	}
	switch _, err := e.Collection(p.Kind, p.Collection); {
	case err == nil:
		return "", fmt.Errorf("make %s: %w", p, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	others, err := e.Collections(p.Kind)
	if err != nil {
		return "", err
	}
	form := escape
	for _, c := range others {
		if confusable(c.Name, p.Collection) {
			form = escapeAll
		}
	}
	file, err := fileName(p.Collection, "", form)
	if err != nil {
		return "", err
	}
	dir = string(p.Kind) + "/" + file
	if _, err := e.tx.Lookup(dir); err == nil {
		return "", &NameError{p.Collection, "is taken by a file"}
	}
	return dir, nil
}
