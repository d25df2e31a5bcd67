package gitdir

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// disk is what writing needs of a file system, and the seam at which tests
// cut the power, tear writes and fill the disk. Names are slash-separated and relative
// to the repository. Reading does not go through it.
//
// What the code above may rely on after a crash, and no more: the bytes of a
// file as of its last Sync; the entries of a folder as of its last syncDir;
// a rename has happened or has not.
type disk interface {
	create(name string) (file, error) // fs.ErrExist if it is there
	link(old, new string) error       // fs.ErrExist if new is there
	rename(old, new string) error     // replaces new
	remove(name string) error         // a file
	mkdir(name string) error
	rmdir(name string) error // only an empty folder, never a file
	syncDir(name string) error
}

// A file is one being written.
type file interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// osDisk is the real one. The value is the repository's path.
type osDisk string

func (d osDisk) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d osDisk) create(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d osDisk) link(old, new string) error   { return os.Link(d.path(old), d.path(new)) }
func (d osDisk) rename(old, new string) error { return os.Rename(d.path(old), d.path(new)) }
func (d osDisk) remove(name string) error     { return os.Remove(d.path(name)) }
func (d osDisk) rmdir(name string) error      { return syscall.Rmdir(d.path(name)) }
func (d osDisk) mkdir(name string) error      { return os.Mkdir(d.path(name), 0o755) }

func (d osDisk) syncDir(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
