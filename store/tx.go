package store

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"cairn/store/object"
)

// A Tx is the state of one branch within an Update: a snapshot with the edits
// made so far, which its reading methods see. It and what it hands out are good
// until the function that was given it returns. It is for one goroutine.
//
// Paths are as for Tree. The names that are written must pass object.CheckName,
// else the edit returns an *object.NameError. Folders appear with their first
// file and vanish with their last.
type Tx struct {
	start *Tree
	read  *reader
	root  *dir
	made  map[Hash]newObject // blobs and trees of this Tx by hash; not all of them remain in use

	parents []Revision // of the commit, besides the branch's tip
	forward *Tree      // the snapshot to move to as it is
}

// A newObject is an object that has a name and is not stored yet, parsed if it
// is a tree.
type newObject struct {
	object.Object
	hash Hash
	node *node
}

// A ClashError says that a path cannot be written because there is a file where
// it needs a folder, or a folder where it needs a file.
type ClashError struct {
	Path string // what was to be written
	At   string // what is in the way
}

func (e *ClashError) Error() string {
	if e.Path == e.At {
		return fmt.Sprintf("write %q: it is a folder", e.Path)
	}
	return fmt.Sprintf("write %q: %q is not a folder", e.Path, e.At)
}

func newTx(start *Tree, read *reader) *Tx {
	return &Tx{start: start, read: read, root: &dir{base: start.node(), hash: start.Hash()}, made: map[Hash]newObject{}}
}

// Tree returns the snapshot that the Tx started from.
func (tx *Tx) Tree() *Tree { return tx.start }

// Put writes a file, with a copy of data. A file that is there keeps its mode;
// a new one is an ordinary file. A file larger than MaxObject is ErrTooLarge.
func (tx *Tx) Put(path string, data []byte) error {
	return tx.PutMode(path, tx.modeAt(path), data)
}

// modeAt is the mode of a file that is put at path.
func (tx *Tx) modeAt(path string) object.Mode {
	if e, _, err := tx.find(path); err == nil && e.Mode == object.ModeExecutable {
		return e.Mode
	}
	return object.ModeFile
}

// PutMode writes a file of the mode ModeFile, ModeExecutable or ModeSymlink.
func (tx *Tx) PutMode(path string, mode object.Mode, data []byte) error {
	switch {
	case mode != object.ModeFile && mode != object.ModeExecutable && mode != object.ModeSymlink:
		return fmt.Errorf("put %q: mode %v: %w", path, mode, fs.ErrInvalid)
	case len(data) > MaxObject:
		return fmt.Errorf("put %q: %w", path, ErrTooLarge)
	}
	o := object.Object{Type: object.TypeBlob, Data: bytes.Clone(data)}
	h := o.Hash()
	if err := tx.set(path, object.Entry{Mode: mode, Hash: h}, true); err != nil {
		return fmt.Errorf("put %q: %w", path, err)
	}
	tx.made[h] = newObject{Object: o, hash: h}
	return nil
}

// maxPath is the longest path, in bytes, that is written: what Linux can check
// out.
const maxPath = 4095

// set puts an entry at path. Unless checked, any name that a path can hold will
// do.
func (tx *Tx) set(path string, e object.Entry, checked bool) error {
	if checked && len(path) > maxPath {
		return &object.NameError{Name: path, Reason: "is longer than 4095 bytes"}
	}
	for name := range strings.SplitSeq(path, "/") {
		if err := checkName(name, e.Mode, checked); err != nil {
			return err
		}
	}
	folder, name, err := tx.parent(path, true)
	if err != nil {
		return err
	}
	e.Name = name
	if e.Mode != object.ModeDir {
		if full, err := tx.isFolder(folder, name); err != nil {
			return err
		} else if full {
			return &ClashError{path, path}
		}
	} else if e.Hash == emptyTree {
		e.Mode = 0
	}
	folder.edit(name, &edit{entry: e})
	return nil
}

func checkName(name string, mode object.Mode, checked bool) error {
	if !checked {
		if name == "" || hidden(name) {
			return &object.NameError{Name: name, Reason: "is not a name"}
		}
		return nil
	}
	if err := object.CheckName(name); err != nil {
		return err
	}
	if mode != object.ModeSymlink {
		return nil
	}
	// git fsck refuses some names for symlinks alone, such as .gitmodules.
	link := object.AppendTree(nil, []object.Entry{{Name: name, Mode: mode, Hash: emptyTree}})
	if err := object.Check(object.TypeTree, link); err != nil {
		return &object.NameError{Name: name, Reason: "may not be a symlink"}
	}
	return nil
}

// Remove removes a file or a folder with all that is in it. Absent is
// fs.ErrNotExist.
func (tx *Tx) Remove(path string) error {
	_, err := tx.lookup(path)
	if err == nil && (path == "." || path == "") {
		err = fs.ErrInvalid
	}
	if err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	folder, name, err := tx.parent(path, false)
	if err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	folder.edit(name, &edit{})
	return nil
}

// Lookup returns the entry at path; absent is fs.ErrNotExist.
func (tx *Tx) Lookup(path string) (object.Entry, error) {
	e, err := tx.lookup(path)
	if err != nil {
		return object.Entry{}, &fs.PathError{Op: "lookup", Path: path, Err: err}
	}
	return e, nil
}

// Blob is like Tree.Blob.
func (tx *Tx) Blob(path string) ([]byte, Hash, error) {
	e, err := tx.lookup(path)
	if err == nil && !holdsBlob(e) {
		err = fs.ErrInvalid
	}
	var data []byte
	if err == nil {
		data, err = tx.blob(e.Hash)
	}
	if err != nil {
		return nil, object.Zero, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, e.Hash, nil
}

// ReadFile is like Tree.ReadFile.
func (tx *Tx) ReadFile(path string) ([]byte, error) {
	data, _, err := tx.Blob(path)
	return bytes.Clone(data), err
}

// Entries is like Tree.Entries.
func (tx *Tx) Entries(path string) iter.Seq2[object.Entry, error] {
	return func(yield func(object.Entry, error) bool) {
		n, err := tx.folder(path)
		if err != nil {
			yield(object.Entry{}, &fs.PathError{Op: "readdir", Path: path, Err: err})
			return
		}
		for i := range n.len() {
			if !yield(n.entry(i), nil) {
				return
			}
		}
	}
}

func (tx *Tx) node(h Hash) (*node, error) {
	if m, ok := tx.made[h]; ok && m.Type == object.TypeTree {
		return m.node, nil
	}
	return tx.read.node(h)
}

func (tx *Tx) blob(h Hash) ([]byte, error) {
	if m, ok := tx.made[h]; ok && m.Type == object.TypeBlob {
		return m.Data, nil
	}
	return tx.read.blob(h)
}
