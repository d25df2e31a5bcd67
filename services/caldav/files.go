package caldav

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
	"cairn/store/object"
)

// How files and folders lie on a person's branch
//
// What is at /files/alice/a/b.txt is the file files/a/b.txt of the branch, each name
// as shelf.FileName has it. Dead properties of a folder are in its .props.toml,
// which is there, if empty, also to keep the folder when nothing else does; those of a file are in
// .props/<file>.toml beside it. So a folder is copied, properties and
// all, by naming its tree again.

const (
	folderProps = ".props.toml"
	fileProps   = ".props"
)

// filePath is where names lead on the branch. A name that cannot be had leads
// nowhere.
func filePath(names []string) (string, error) {
	at := fileSpace
	for _, name := range names {
		f, err := shelf.FileName(name)
		if err != nil {
			return "", errNothingHere
		}
		at += "/" + f
	}
	return at, nil
}

// findFile finds a file or folder. The home is always there.
func (n *node) findFile() error {
	n.kind = folder
	var err error
	n.entry, err = n.in.tree.Lookup(n.file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(n.names) == 0:
		return nil
	case err != nil:
		return hidden(err)
	case len(n.names) == 0 && n.entry.Mode != object.ModeDir:
		return errLink // a push has put something in the home's place
	}
	return n.setFile()
}

// setFile takes what an entry of the tree is.
func (n *node) setFile() error {
	switch n.entry.Mode {
	case object.ModeDir:
		n.kind = folder
	case object.ModeFile, object.ModeExecutable:
		n.kind = file
	default:
		return errLink
	}
	return nil
}

// errLink answers where a push has put a symlink or submodule, which lead anywhere.
var errLink = dav.Errorf(http.StatusForbidden, "this is a link, and links are not followed")

// eachFile yields what is in a folder, and if deep what is below.
func (n *node) eachFile(deep bool, yield func(*node) error) error {
	for e, err := range n.in.tree.Entries(n.spot.file) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := shelf.ResourceName(e.Name)
		if !ok {
			continue
		}
		c := n.child(folder, name)
		c.file, c.entry = n.file+"/"+e.Name, e
		if c.setFile() != nil {
			continue
		}
		if c.kind == file {
			c.href = strings.TrimSuffix(c.href, "/")
		}
		if err := yield(c); err != nil {
			return err
		}
		if deep && c.kind == folder && len(c.names) < maxNames-2 {
			if err := c.eachFile(true, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// propsFile is where the dead properties of a file or folder are.
func (n *node) propsFile() string { return filePropsAt(n.file, n.kind) }

func filePropsAt(at string, k kind) string {
	if k == folder {
		return at + "/" + folderProps
	}
	return path.Dir(at) + "/" + fileProps + "/" + path.Base(at) + ".toml"
}

// fileDead reads the dead properties of a file or folder. Such that nobody can read
// are none.
func (n *node) fileDead() []shelf.Dead {
	data, _, err := n.in.tree.Blob(n.propsFile())
	if err != nil {
		return nil
	}
	list, err := shelf.DecodeDead(data)
	if err != nil {
		return nil
	}
	return list
}

// setFileDead writes the dead properties of a file or folder.
func (n *node) setFileDead(list []shelf.Dead) error {
	tx := n.in.edit.Tx()
	if len(list) > 0 {
		data, err := (&shelf.Props{Dead: list}).Encode()
		if err != nil {
			return err
		}
		return tx.Put(n.propsFile(), data)
	}
	if n.kind == folder {
		return tx.Put(n.propsFile(), nil)
	}
	return gone(tx.Remove(n.propsFile()))
}

// gone takes what is not there for removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// typeByName is the media type of a file by its name.
func typeByName(name string) string {
	if t := fileTypes[strings.ToLower(path.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}
