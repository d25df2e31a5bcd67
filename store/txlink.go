package store

import (
	"context"
	"fmt"
	"io/fs"

	"cairn/store/object"
)

// Link names something that is in the repository already, a file or a whole
// folder, again: no content is written. A file that is at path is replaced; so
// is a folder, by a folder. Name is ignored; an object that is absent is
// fs.ErrNotExist.
func (tx *Tx) Link(path string, e object.Entry) error {
	if err := tx.link(path, e, true); err != nil {
		return fmt.Errorf("link %q: %w", path, err)
	}
	return nil
}

func (tx *Tx) link(path string, e object.Entry, checked bool) error {
	if modes[kindOf(e.Mode)] != e.Mode {
		return fmt.Errorf("mode %v: %w", e.Mode, fs.ErrInvalid)
	}
	if e.Mode == object.ModeSubmodule {
		if e.Hash == object.Zero {
			return fs.ErrInvalid
		}
	} else if err := tx.have(e); err != nil {
		return err
	}
	return tx.set(path, e, checked)
}

// have makes sure that what e names is there and stays. What is only pending, in
// an update of another branch perhaps that may yet fail, the Tx makes itself.
// What is in the cache may have been pruned since, so it asks the backend.
func (tx *Tx) have(e object.Entry) error {
	if e.Mode == object.ModeDir && e.Hash == emptyTree {
		return nil
	}
	tx.adopt(e.Hash)
	m, ok := tx.made[e.Hash]
	t := m.Type
	if !ok {
		var err error
		if t, _, err = tx.read.objs.Stat(context.Background(), e.Hash); err != nil {
			return err
		}
	}
	if want := typeOf(e.Mode); t != want {
		return typeError(e.Hash, want)
	}
	return nil
}

func typeOf(m object.Mode) object.Type {
	if m == object.ModeDir {
		return object.TypeTree
	}
	return object.TypeBlob
}

// adopt makes a pending object, and the pending ones below it, this Tx's own.
func (tx *Tx) adopt(h Hash) {
	p, ok := tx.read.pending.get(h)
	if !ok {
		return
	}
	tx.made[h] = newObject{p.Object, h, p.node}
	for i := range p.node.len() {
		tx.adopt(p.node.entry(i).Hash)
	}
}
