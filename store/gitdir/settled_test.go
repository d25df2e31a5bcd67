package gitdir

import (
	"os"
	"path"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// A reusingDisk gives every new folder the inode of one that was there before, and
// notes which folders are synced.
type reusingDisk struct {
	osDisk
	d      *Dir
	synced map[string]bool
}

func (r *reusingDisk) mkdir(name string) error {
	err := r.osDisk.mkdir(name)
	if err == nil {
		st, err := os.Lstat(r.path(name))
		if err != nil {
			return err
		}
		r.d.settled[name] = inode(st)
		r.synced[path.Dir(name)] = false
	}
	return err
}

func (r *reusingDisk) syncDir(name string) error {
	r.synced[name] = true
	return r.osDisk.syncDir(name)
}

// TestFolderMadeAgain: a folder is made durable also when its inode belonged to one of
// the same name, which git has removed.
func TestFolderMadeAgain(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	disk := &reusingDisk{d.root, d, map[string]bool{}}
	d.disk = disk
	c := commitOf(t, d, "a")
	if err := d.Commit(t.Context(), nil, []store.RefChange{{Name: "refs/heads/topic/a", Old: object.Zero, New: c}}); err != nil {
		t.Fatal(err)
	}
	if !disk.synced["refs/heads"] {
		t.Error("refs/heads, in which a folder was made, has not been synced")
	}
}
