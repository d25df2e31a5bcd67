package store

import (
	"io/fs"
	"strings"

	"cairn/store/object"
)

// A dir is a folder that a Tx has opened: as it was, and the edits over it.
type dir struct {
	base  *node
	hash  Hash // of base
	edits map[string]*edit
}

// An edit replaces an entry of a dir. With a zero Mode and no sub it removes
// it.
type edit struct {
	entry object.Entry
	sub   *dir // the folder is open: entry does not hold
}

func (d *dir) edit(name string, e *edit) {
	if d.edits == nil {
		d.edits = map[string]*edit{}
	}
	d.edits[name] = e
}

// get returns the entry of a name, or the open folder of that name, or neither.
func (d *dir) get(name string) (object.Entry, *dir) {
	if e, ok := d.edits[name]; ok {
		return e.entry, e.sub
	}
	e, _ := d.base.find(name)
	return e, nil
}

// open opens the folder of this name. When there is none, it makes one or
// returns fs.ErrNotExist; when there is a file, errNotFolder.
func (tx *Tx) open(d *dir, name string, create bool) (*dir, error) {
	e, sub := d.get(name)
	if sub != nil {
		return sub, nil
	}
	switch {
	case e.Mode == object.ModeDir:
		n, err := tx.node(e.Hash)
		if err != nil {
			return nil, err
		}
		sub = &dir{base: n, hash: e.Hash}
	case e.Mode != 0:
		return nil, errNotFolder
	case !create:
		return nil, fs.ErrNotExist
	default:
		sub = &dir{hash: emptyTree}
	}
	d.edit(name, &edit{sub: sub})
	return sub, nil
}

// parent opens the folder that holds path and returns it and the last element.
func (tx *Tx) parent(path string, create bool) (*dir, string, error) {
	d := tx.root
	for at := 0; ; {
		i := strings.IndexByte(path[at:], '/')
		if i < 0 {
			return d, path[at:], nil
		}
		sub, err := tx.open(d, path[at:at+i], create)
		if err == errNotFolder {
			err = &ClashError{path, path[:at+i]}
		}
		if err != nil {
			return nil, "", err
		}
		d, at = sub, at+i+1
	}
}

// find returns the entry at path, or the folder there if it is open. It opens
// nothing.
func (tx *Tx) find(path string) (object.Entry, *dir, error) {
	if path == "." || path == "" {
		return object.Entry{}, tx.root, nil
	}
	d := tx.root
	for {
		name, rest, more := strings.Cut(path, "/")
		e, sub := d.get(name)
		switch {
		case sub == nil && (e.Mode == 0 || more && e.Mode != object.ModeDir):
			return object.Entry{}, nil, fs.ErrNotExist
		case !more:
			return e, sub, nil
		case sub == nil:
			n, err := tx.node(e.Hash)
			if err != nil {
				return object.Entry{}, nil, err
			}
			sub = &dir{base: n, hash: e.Hash}
		}
		d, path = sub, rest
	}
}

// lookup is find with an entry also for an open folder.
func (tx *Tx) lookup(path string) (object.Entry, error) {
	e, sub, err := tx.find(path)
	if err != nil || sub == nil {
		return e, err
	}
	n, h, err := tx.flush(sub)
	if err != nil {
		return object.Entry{}, err
	}
	if sub == tx.root {
		return object.Entry{Name: ".", Mode: object.ModeDir, Hash: h}, nil
	}
	if n.len() == 0 {
		return object.Entry{}, fs.ErrNotExist
	}
	return object.Entry{Name: path[strings.LastIndexByte(path, '/')+1:], Mode: object.ModeDir, Hash: h}, nil
}

func (tx *Tx) folder(path string) (*node, error) {
	e, err := tx.lookup(path)
	switch {
	case err != nil:
		return nil, err
	case e.Mode == object.ModeSubmodule:
		return nil, nil
	case e.Mode != object.ModeDir:
		return nil, errNotFolder
	}
	return tx.node(e.Hash)
}

// isFolder says whether name is a folder with something in it.
func (tx *Tx) isFolder(d *dir, name string) (bool, error) {
	e, sub := d.get(name)
	if sub == nil {
		return e.Mode == object.ModeDir, nil
	}
	n, _, err := tx.flush(sub)
	return n.len() > 0, err
}

// flush makes the trees of a folder with edits and returns its own. The folder
// stays open.
func (tx *Tx) flush(d *dir) (*node, Hash, error) {
	if len(d.edits) == 0 {
		return d.base, d.hash, nil
	}
	entries := make([]object.Entry, 0, len(d.edits))
	for name, e := range d.edits {
		entry := e.entry
		if e.sub != nil {
			n, h, err := tx.flush(e.sub)
			if err != nil {
				return nil, object.Zero, err
			}
			entry = object.Entry{}
			if n.len() > 0 {
				entry = object.Entry{Mode: object.ModeDir, Hash: h}
			}
		}
		entry.Name = name
		entries = append(entries, entry)
	}
	n, raw := splice(d.base, entries)
	if len(raw) > MaxObject {
		return nil, object.Zero, ErrTooLarge
	}
	if d.base != nil && n.raw == d.base.raw {
		n = d.base
	} else {
		o := object.Object{Type: object.TypeTree, Data: raw}
		d.hash = o.Hash()
		tx.made[d.hash] = newObject{o, d.hash, n}
	}
	d.base, d.edits = n, nil
	return d.base, d.hash, nil
}
