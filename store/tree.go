package store

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"cairn/store/object"
)

// A Tree is an immutable snapshot: the files of one commit. It is an fs.FS,
// fs.ReadFileFS, fs.ReadDirFS, fs.StatFS and fs.ReadLinkFS (see Open), and can
// be read by path with less ceremony: Lookup, Blob, Entries, Diff. The zero
// Tree and a nil one are empty. Safe for concurrent use.
//
// Paths are as in io/fs: elements with a slash between them, "." (or "") the
// root. Lookup, Blob, Entries and Diff also know names that io/fs does not
// allow because they are not UTF-8. Names that could mean something outside of
// the tree ("..", a name with a slash) are never shown.
type Tree struct {
	read   *reader
	hash   Hash
	root   *node
	commit Revision
}

// A Revision is a commit.
type Revision struct {
	Hash Hash
	*object.Commit
}

// emptyTree is the hash of a tree without entries.
var emptyTree = object.Object{Type: object.TypeTree}.Hash()

// Hash returns the tree's own name, which depends on its content alone.
func (t *Tree) Hash() Hash {
	if t == nil || t.hash == object.Zero {
		return emptyTree
	}
	return t.hash
}

// Commit returns the commit whose snapshot this is; false for a bare tree.
func (t *Tree) Commit() (Revision, bool) {
	if t == nil {
		return Revision{}, false
	}
	return t.commit, t.commit.Commit != nil
}

// Time is the commit's committer time, which is the ModTime of every file; zero
// for a bare tree.
func (t *Tree) Time() time.Time {
	if rev, ok := t.Commit(); ok {
		return rev.Committer.When
	}
	return time.Time{}
}

func (t *Tree) node() *node {
	if t == nil {
		return nil
	}
	return t.root
}

// Lookup returns the entry at path; absent is fs.ErrNotExist. The root's name
// is ".".
func (t *Tree) Lookup(path string) (object.Entry, error) {
	e, err := t.lookup(path)
	if err != nil {
		return object.Entry{}, &fs.PathError{Op: "lookup", Path: path, Err: err}
	}
	return e, nil
}

func (t *Tree) lookup(path string) (object.Entry, error) {
	if path == "." || path == "" {
		return object.Entry{Name: ".", Mode: object.ModeDir, Hash: t.Hash()}, nil
	}
	n := t.node()
	for {
		i := strings.IndexByte(path, '/')
		if i < 0 {
			break
		}
		k, ok := n.search(path[:i], true)
		if !ok {
			return object.Entry{}, fs.ErrNotExist
		}
		var err error
		if n, err = t.read.node(n.entry(k).Hash); err != nil {
			return object.Entry{}, err
		}
		path = path[i+1:]
	}
	e, ok := n.find(path)
	if !ok {
		return object.Entry{}, fs.ErrNotExist
	}
	return e, nil
}

// Blob returns the content and the hash of the file at path. The bytes are
// shared with other callers: nobody changes them. A symlink's content is its
// target. Absent is fs.ErrNotExist, a folder or submodule fs.ErrInvalid, a file
// larger than MaxObject ErrTooLarge: Open reads that.
func (t *Tree) Blob(path string) ([]byte, Hash, error) {
	e, err := t.lookup(path)
	if err == nil && !holdsBlob(e) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, object.Zero, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	data, err := t.read.blob(e.Hash)
	if err != nil {
		return nil, object.Zero, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, e.Hash, nil
}

func holdsBlob(e object.Entry) bool {
	return e.Mode != object.ModeDir && e.Mode != object.ModeSubmodule
}

// BlobSize returns the size, in bytes, of a file of this or another snapshot of the
// same repository by its hash, and reads as little as it can.
func (t *Tree) BlobSize(h Hash) (int64, error) { return t.read.size(h) }

// OpenBlob streams the content of any blob of the repository, whatever its
// size. The caller closes it.
func (t *Tree) OpenBlob(ctx context.Context, h Hash) (io.ReadCloser, error) {
	return t.read.open(ctx, h)
}

// Entries yields what the folder at path holds, in git's order (a folder sorts
// as if its name ended in a slash). When path is absent or not a folder it
// yields one error.
func (t *Tree) Entries(path string) iter.Seq2[object.Entry, error] {
	return func(yield func(object.Entry, error) bool) {
		n, err := t.folder(path)
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

func (t *Tree) folder(path string) (*node, error) {
	e, err := t.lookup(path)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Mode == object.ModeSubmodule:
		return nil, nil
	case e.Mode != object.ModeDir:
		return nil, errNotFolder
	case e.Hash == t.Hash():
		return t.node(), nil
	}
	return t.read.node(e.Hash)
}
