package store

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"cairn/store/object"
)

// ErrMergeConflict is what a MergeFunc returns for a file that it cannot merge.
var ErrMergeConflict = errors.New("merge conflict")

// merge merges the tree theirs into tx.
func (m merger) merge(theirs Hash) error {
	baseRoot, _, err := m.base.flush(m.base.root)
	if err != nil {
		return err
	}
	ourRoot, _, err := m.tx.flush(m.tx.root)
	if err != nil {
		return err
	}
	theirRoot, err := m.tx.node(theirs)
	if err != nil {
		return err
	}
	if err := m.folders("", [3]*node{baseRoot, ourRoot, theirRoot}, 0); err != nil {
		return err
	}
	if len(m.conflicts) > 0 {
		slices.Sort(m.conflicts)
		return &MergeConflictError{slices.Compact(m.conflicts)}
	}
	return nil
}

// A merger walks three trees at once. What it decides it edits into tx.
type merger struct {
	ctx       context.Context // of the one merge that the merger lives for
	base      *Tx             // which may have made objects of its own
	tx        *Tx
	f         MergeFunc
	virtual   bool // merging bases: what conflicts is disputed
	conflicts []string
}

// A trio is what stands at one path in base, ours and theirs; zero Entry for
// absence.
type trio [3]object.Entry

const (
	inBase = iota
	inOurs
	inTheirs
)

func (m *merger) folders(prefix string, nodes [3]*node, depth int) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return errDepth
	}
	for _, name := range names(nodes) {
		var t trio
		for i, n := range nodes {
			t[i], _ = n.find(name)
		}
		if err := m.entry(prefix+name, t, depth); err != nil {
			return err
		}
	}
	return nil
}

// names returns every name that is not the same in base and theirs, in order.
func names(nodes [3]*node) (list []string) {
	base, theirs := nodes[inBase], nodes[inTheirs]
	from, aEnd, bEnd := differing(base, theirs)
	// What theirs has not changed since base stays as ours has it.
	for i := from; i < aEnd; i++ {
		list = append(list, base.nameAt(base.refs[i]))
	}
	for i := from; i < bEnd; i++ {
		list = append(list, theirs.nameAt(theirs.refs[i]))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (m *merger) entry(path string, t trio, depth int) error {
	switch {
	case t[inOurs] == t[inTheirs] || t[inBase] == t[inTheirs]:
		return nil
	case t[inBase] == t[inOurs]:
		return m.take(path, t[inOurs], t[inTheirs])
	}
	files, folders := t.split()
	e, err := m.file(path, files)
	if err != nil {
		return err
	}
	if folders == (trio{}) {
		return m.put(path, files[inOurs], e)
	}
	// A file that goes makes room for the folder; one that comes waits until
	// the folder is empty.
	if e.Mode == 0 {
		if err := m.put(path, files[inOurs], e); err != nil {
			return err
		}
	}
	var nodes [3]*node
	for i, e := range folders {
		if nodes[i], err = m.subfolder(i, e); err != nil {
			return err
		}
	}
	if err := m.folders(path+"/", nodes, depth+1); err != nil || e.Mode == 0 {
		return err
	}
	return m.put(path, files[inOurs], e)
}

// split looks at files and folders apart: where one side has made a folder of a
// file, the file is deleted and the files in the folder are added.
func (t trio) split() (files, folders trio) {
	for i, e := range t {
		if e.Mode == object.ModeDir {
			folders[i] = e
		} else {
			files[i] = e
		}
	}
	return files, folders
}

func (m *merger) subfolder(side int, e object.Entry) (*node, error) {
	if e.Mode != object.ModeDir {
		return nil, nil
	}
	return m.side(side).node(e.Hash)
}

func (m *merger) side(i int) *Tx {
	if i == inBase {
		return m.base
	}
	return m.tx
}

// take makes theirs the result at a path where ours is as it was in base.
func (m *merger) take(path string, ours, theirs object.Entry) error {
	if ours.Mode == object.ModeDir && theirs.Mode != object.ModeDir {
		if err := m.tx.Remove(path); err != nil {
			return err
		}
		ours = object.Entry{}
	}
	return m.put(path, ours, theirs)
}

// put makes an entry the result at a path where ours is there now.
func (m *merger) put(path string, ours, e object.Entry) error {
	if e.Mode == ours.Mode && e.Hash == ours.Hash {
		return nil
	}
	if e.Mode == 0 {
		err := m.tx.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // this is where a file made room for a folder
		}
		return err
	}
	err := m.tx.link(path, e, false)
	if _, ok := errors.AsType[*ClashError](err); ok {
		_, err = m.conflict(path, trio{})
	}
	return err
}
