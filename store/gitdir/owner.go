package gitdir

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
)

// Folder for our own files inside the repository. Git leaves unknown folders
// alone; in objects/pack, `git prune --expire=now` would delete what we are
// writing.
const ownFolder = "cairn"

// An owner is one open Dir as other processes see it: the file cairn/<id>,
// under flock for as long as the Dir is open.
//
// Every lock we take is a hard link to that file. link(2) fails if the name
// exists, as O_EXCL does, so git and we exclude each other; and whoever meets the
// lock of a Cairn that was killed can tell, because the kernel has let go
// of the flock, and may remove it. A lock file of git's has no such mark and is never
// removed. Files being written are named cairn/<id>-<n>, so that they can
// be told from those of the living as well.
type owner struct {
	id   string
	held *os.File
	next atomic.Uint64
}

const ownerMark = "cairn "

// newOwner makes the owner file in root, which is a repository.
func newOwner(root osDisk) (*owner, error) {
	if err := os.Mkdir(root.path(ownFolder), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, temporary(err)
	}
	for {
		o, err := tryOwner(root)
		if err != nil {
			return nil, temporary(err)
		}
		if o != nil {
			return o, o.tryLink(root)
		}
	}
}

// tryLink makes sure that locks can be taken here.
func (o *owner) tryLink(root osDisk) error {
	probe := o.temp()
	if err := root.link(o.name(), probe); err != nil {
		o.close(root)
		return fmt.Errorf("its file system knows no hard links, which locks are made of: %w", temporary(err))
	}
	return root.remove(probe)
}

// tryOwner returns nil, nil when a sweeper found the file before it was locked.
func tryOwner(root osDisk) (*owner, error) {
	var random [8]byte
	rand.Read(random[:])
	o := &owner{id: hex.EncodeToString(random[:])}
	f, err := os.OpenFile(root.path(o.name()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	o.held = f
	var st syscall.Stat_t
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || syscall.Fstat(int(f.Fd()), &st) != nil || st.Nlink == 0 {
		f.Close()
		return nil, nil
	}
	_, err = fmt.Fprintf(f, "%s%s pid %d\n", ownerMark, o.id, os.Getpid())
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = root.syncDir(ownFolder)
	}
	if err != nil {
		os.Remove(f.Name())
		f.Close()
		return nil, err
	}
	return o, nil
}

func (o *owner) name() string { return path.Join(ownFolder, o.id) }

// temp names a new file of our own.
func (o *owner) temp() string { return fmt.Sprintf("%s-%d", o.name(), o.next.Add(1)) }

func (o *owner) close(root osDisk) error {
	os.Remove(root.path(o.name()))
	return o.held.Close()
}

// breakStale removes a lock or .keep file if a Cairn that has died left it.
// It reports whether name is gone.
func breakStale(root osDisk, name string) bool {
	f, err := os.Open(root.path(name))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	var mark [len(ownerMark)]byte
	if n, _ := f.ReadAt(mark[:], 0); !bytes.Equal(mark[:n], []byte(ownerMark)) {
		return false
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false // its owner lives
	}
	// Only the holder of this flock removes links to this file, so that the
	// name cannot come to mean another file between the check and the removal.
	mine, err1 := f.Stat()
	there, err2 := os.Lstat(root.path(name))
	if err1 != nil || err2 != nil || !os.SameFile(mine, there) {
		return errors.Is(err2, fs.ErrNotExist)
	}
	return os.Remove(root.path(name)) == nil
}

// sweep removes what Cairns that have died left behind: their unfinished
// files, locks and .keep files.
func sweep(root osDisk) error {
	entries, err := os.ReadDir(root.path(ownFolder))
	if err != nil {
		return err
	}
	living := map[string]bool{}
	for _, e := range entries {
		if id := e.Name(); len(id) == 16 && !breakStale(root, path.Join(ownFolder, id)) {
			living[id] = true
		}
	}
	for _, e := range entries {
		if id, _, temp := strings.Cut(e.Name(), "-"); temp && len(id) == 16 && !living[id] {
			// The owner may be so young that the listing above lacks it.
			if _, err := os.Lstat(root.path(path.Join(ownFolder, id))); errors.Is(err, fs.ErrNotExist) {
				os.Remove(root.path(path.Join(ownFolder, e.Name())))
			}
		}
	}
	sweepKeeps(root)
	breakStale(root, "packed-refs.lock")
	return fs.WalkDir(os.DirFS(string(root)), "refs", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(name, lockSuffix) {
			breakStale(root, name)
		}
		return nil
	})
}

// sweepKeeps removes the .keep files of Cairns that have died, which
// would keep their packs from being merged for ever.
func sweepKeeps(root osDisk) {
	entries, _ := os.ReadDir(root.path(packFolder))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".keep") {
			breakStale(root, path.Join(packFolder, e.Name()))
		}
	}
}
