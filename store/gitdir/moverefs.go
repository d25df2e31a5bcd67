package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// How refs move. All locks are taken, in the order of the names, before a value is
// compared, and they are kept until the change is durable.
//
// One ref gets a new loose file: the rename is the moment at which it
// moves. Several refs, and deletions, are lines of one packed-refs file, and its
// rename is the moment for all of them. For that to be so none of them may
// have a loose file, which would win; so first a packed-refs that holds
// the present values is put in place, and the loose files are removed. All
// files are written before anything is changed: a full disk changes nothing.

// maxMoves bounds the refs of one change: ext4 allows a file 65,000 links,
// which is what our locks are.
const maxMoves = 50_000

// A move is a change of one ref while it is locked.
type move struct {
	store.RefChange
	loose bool // has a loose file
}

// moveRefs makes the changes, all or none. ready is a file of our own with
// the new value, durable, for the case that one ref moves; or "". When moved
// is true in spite of an error, the refs have moved, but it is not known whether
// that would survive a loss of power.
func (d *Dir) moveRefs(ctx context.Context, changes []store.RefChange, ready string) (moved bool, err error) {
	err = patiently(ctx, func() (err error) {
		moved, err = d.tryMoveRefs(ctx, changes, ready)
		return err
	})
	return moved, err
}

// tryMoveRefs is moveRefs without patience: while others' locks are waited for,
// changes of other refs go on.
func (d *Dir) tryMoveRefs(ctx context.Context, changes []store.RefChange, ready string) (moved bool, err error) {
	d.refMu.Lock()
	defer d.refMu.Unlock()
	moves := make([]move, len(changes))
	for i, c := range changes {
		moves[i].RefChange = c
	}
	slices.SortFunc(moves, func(a, b move) int { return strings.Compare(a.Name, b.Name) })

	var locked []string
	defer func() {
		for _, name := range locked {
			d.disk.remove(name + lockSuffix)
		}
		for _, m := range moves {
			if m.New == object.Zero || m.Old == object.Zero {
				d.rmdirs(path.Dir(m.Name))
			}
			d.forget(m.Name)
		}
		d.list.moved.Add(1)
		d.announce()
	}()
	for _, m := range moves {
		if err := d.lockRef(m.Name); err != nil {
			return false, err
		}
		locked = append(locked, m.Name)
	}
	effective, err := d.compare(moves)
	if err != nil || len(effective) == 0 {
		return err == nil, err
	}
	if len(effective) == 1 && effective[0].New != object.Zero {
		return d.moveLoose(effective[0], ready)
	}
	return d.movePacked(ctx, effective)
}

// compare checks each Old against the ref as it is, and that no created ref
// stands where another needs a folder. It returns the moves that change something.
func (d *Dir) compare(moves []move) (effective []move, err error) {
	packed, err := d.packed()
	if err != nil {
		return nil, err
	}
	for i := range moves {
		m := &moves[i]
		ref, err := d.readLoose(m.Name)
		if m.loose = err == nil; errors.Is(err, fs.ErrNotExist) {
			p, _ := packed.find(m.Name)
			ref, err = store.Ref{Hash: p.hash}, nil
		}
		if err != nil {
			return nil, err
		}
		if ref.Target != "" {
			return nil, fmt.Errorf("ref %s is symbolic: move %s, to which it leads", m.Name, ref.Target)
		}
		if ref.Hash != m.Old {
			return nil, &store.ConflictError{Change: m.RefChange, Actual: ref.Hash}
		}
		if m.Old == m.New {
			continue
		}
		if m.Old == object.Zero {
			if err := d.nameFree(m.Name, packed, moves); err != nil {
				return nil, err
			}
		}
		effective = append(effective, *m)
	}
	return effective, nil
}

// nameFree says why a ref of this name cannot be: names are paths, and
// refs/heads/a cannot be beside refs/heads/a/b. moves are sorted by name.
func (d *Dir) nameFree(name string, packed *packedRefs, moves []move) error {
	taken := func(other string) error {
		return fmt.Errorf("ref %s cannot be made: %s exists, and one cannot be a folder of the other", name, other)
	}
	for dir := path.Dir(name); strings.Contains(dir, "/"); dir = path.Dir(dir) {
		if _, ok := packed.find(dir); ok {
			return taken(dir)
		}
	}
	below := name + "/"
	i, _ := slices.BinarySearchFunc(packed.refs, below, func(r packedRef, p string) int { return strings.Compare(r.name, p) })
	if i < len(packed.refs) && strings.HasPrefix(packed.refs[i].name, below) {
		return taken(packed.refs[i].name)
	}
	i, _ = slices.BinarySearchFunc(moves, below, func(m move, p string) int { return strings.Compare(m.Name, p) })
	for _, m := range moves[i:] {
		if !strings.HasPrefix(m.Name, below) {
			break
		}
		if m.New != object.Zero {
			return taken(m.Name)
		}
	}
	return fs.WalkDir(os.DirFS(string(d.root)), name, func(found string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && found != name && readable(found) {
			return taken(found)
		}
		return nil
	})
}

// moveLoose gives one ref a new loose file.
func (d *Dir) moveLoose(m move, ready string) (moved bool, err error) {
	if ready == "" {
		if ready, err = d.writeTemp(func(w io.Writer) error { return writeLoose(w, m.New) }); err != nil {
			return false, err
		}
		defer d.disk.remove(ready)
	}
	dir := path.Dir(m.Name)
	if err := d.settle(dir); err != nil {
		return false, fmt.Errorf("ref %s: %w", m.Name, temporary(err))
	}
	if err = d.disk.rename(ready, m.Name); err != nil {
		d.removeEmpty(m.Name) // if it is folders that stand in the way
		err = d.disk.rename(ready, m.Name)
	}
	if err != nil {
		return false, fmt.Errorf("ref %s: %w", m.Name, temporary(err))
	}
	if err := d.disk.syncDir(dir); err != nil {
		return true, fmt.Errorf("sync ref %s, which has moved: %w", m.Name, err)
	}
	return true, nil
}

// writeLoose writes the content of a loose ref.
func writeLoose(w io.Writer, h store.Hash) error {
	_, err := io.WriteString(w, h.String()+"\n")
	return err
}

// removeEmpty removes a folder that holds nothing but folders.
func (d *Dir) removeEmpty(dir string) {
	entries, _ := os.ReadDir(d.root.path(dir))
	for _, e := range entries {
		if e.IsDir() {
			d.removeEmpty(dir + "/" + e.Name())
		}
	}
	d.disk.rmdir(dir)
}
