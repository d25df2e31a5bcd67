package store

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/store/object"
)

var (
	_ fs.ReadFileFS = (*Tree)(nil)
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.ReadLinkFS = (*Tree)(nil)
)

var errNotFolder = errors.New("not a folder")

// Open implements fs.FS. Files implement io.Seeker and io.ReaderAt; large ones
// are streamed, so that seeking backward in them costs a new beginning.
// Symlinks are not followed, neither here nor in Stat: they are files of type
// fs.ModeSymlink whose content is the target. Submodules are empty folders.
// Every FileInfo's Sys is an object.Entry and its ModTime the committer time.
func (t *Tree) Open(name string) (fs.File, error) {
	info, err := t.info("open", name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &folder{info: info, tree: t, path: name}, nil
	}
	size, err := info.length()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if size > streamed {
		return &file{info: info, content: &stream{read: t.read, hash: info.entry.Hash, size: size}, size: size}, nil
	}
	data, err := t.read.blob(info.entry.Hash)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{info: info, content: whole(data), size: int64(len(data))}, nil
}

// info is where names from the fs interfaces come in.
func (t *Tree) info(op, name string) (*fileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := t.lookup(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return &fileInfo{tree: t, entry: e}, nil
}

// Stat implements fs.StatFS. It does not follow symlinks.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	info, err := t.info("stat", name)
	if err != nil {
		return nil, err
	}
	if _, err := info.length(); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return info, nil
}

// Lstat implements fs.ReadLinkFS: it is Stat.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) { return t.Stat(name) }

// ReadLink implements fs.ReadLinkFS. The target is whatever the tree holds: it
// may lead anywhere.
func (t *Tree) ReadLink(name string) (string, error) {
	info, err := t.info("readlink", name)
	if err == nil && info.entry.Mode != object.ModeSymlink {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	data, err := t.read.blob(info.entry.Hash)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(data), nil
}

// ReadFile implements fs.ReadFileFS: the bytes are the caller's own. Blob saves
// the copy.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	data, _, err := t.Blob(name)
	if err != nil {
		return nil, err
	}
	return append(make([]byte, 0, len(data)), data...), nil
}

// ReadDir implements fs.ReadDirFS. It leaves out names that are not UTF-8.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	var list []fs.DirEntry
	for e, err := range t.Entries(name) {
		if err != nil {
			return nil, err
		}
		if fs.ValidPath(e.Name) {
			list = append(list, &fileInfo{tree: t, entry: e})
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// A fileInfo is the fs.FileInfo and the fs.DirEntry of an entry.
type fileInfo struct {
	tree  *Tree
	entry object.Entry
}

func (i *fileInfo) Name() string       { return i.entry.Name }
func (i *fileInfo) IsDir() bool        { return !holdsBlob(i.entry) }
func (i *fileInfo) Type() fs.FileMode  { return i.Mode().Type() }
func (i *fileInfo) ModTime() time.Time { return i.tree.Time() }
func (i *fileInfo) Sys() any           { return i.entry }
func (i *fileInfo) String() string     { return fs.FormatFileInfo(i) }

// Info implements fs.DirEntry.
func (i *fileInfo) Info() (fs.FileInfo, error) {
	_, err := i.length()
	return i, err
}

// Size returns the length in bytes, which whoever handed out the FileInfo has
// asked for successfully before.
func (i *fileInfo) Size() int64 {
	n, err := i.length()
	if err != nil {
		return 0
	}
	return n
}

func (i *fileInfo) length() (int64, error) {
	if i.IsDir() {
		return 0, nil
	}
	return i.tree.read.size(i.entry.Hash)
}

func (i *fileInfo) Mode() fs.FileMode {
	switch i.entry.Mode {
	case object.ModeFile:
		return 0o444
	case object.ModeSymlink:
		return fs.ModeSymlink | 0o777
	case object.ModeExecutable:
		return 0o555
	}
	return fs.ModeDir | 0o555
}
