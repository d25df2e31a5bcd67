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
// refs/heads/a cannot be beside refs/heads/a/b.
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
	for _, m := range moves {
		if m.New != object.Zero && strings.HasPrefix(m.Name, below) {
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

// movePacked makes the moves by one rename of packed-refs.
func (d *Dir) movePacked(ctx context.Context, moves []move) (moved bool, err error) {
	const lockName = packedRefsFile + lockSuffix
	if err := d.lock(lockName); err != nil {
		return false, fmt.Errorf("%s: %w", packedRefsFile, err)
	}
	defer d.disk.remove(lockName)
	before, err := d.packed()
	if err != nil {
		return false, err
	}
	before = d.peelAll(ctx, before)
	var now, then []packedRef
	loose := map[string][]string{} // by folder
	for _, m := range moves {
		if m.loose {
			now = append(now, d.packedRef(ctx, before, m.Name, m.Old))
			loose[path.Dir(m.Name)] = append(loose[path.Dir(m.Name)], m.Name)
		}
		then = append(then, d.packedRef(ctx, before, m.Name, m.New))
	}
	after, err := d.writeTemp(before.with(then).writeTo)
	if err != nil {
		return false, err
	}
	defer d.disk.remove(after)
	if len(now) > 0 {
		if err := d.dropLoose(before, now, loose); err != nil {
			return false, err
		}
	}
	return d.placePacked(after)
}

// dropLoose brings the present values of loose refs into packed-refs and
// removes their loose files, durably.
func (d *Dir) dropLoose(before *packedRefs, now []packedRef, loose map[string][]string) error {
	if !before.has(now) {
		temp, err := d.writeTemp(before.with(now).writeTo)
		if err != nil {
			return err
		}
		defer d.disk.remove(temp)
		if _, err := d.placePacked(temp); err != nil {
			return err
		}
	}
	for dir, names := range loose {
		for _, name := range names {
			if err := d.disk.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("pack ref %s: %w", name, err)
			}
		}
		if err := d.disk.syncDir(dir); err != nil {
			return fmt.Errorf("pack refs in %s: %w", dir, err)
		}
	}
	return nil
}

// has reports whether p holds all these values already.
func (p *packedRefs) has(refs []packedRef) bool {
	for _, r := range refs {
		if had, _ := p.find(r.name); had.hash != r.hash {
			return false
		}
	}
	return true
}

// packedRef makes the line for a ref.
func (d *Dir) packedRef(ctx context.Context, before *packedRefs, name string, h store.Hash) packedRef {
	if had, ok := before.find(name); ok && had.hash == h {
		return had
	}
	return packedRef{name: name, hash: h, peeled: d.peel(ctx, h)}
}

// peelAll fills in what a writer that did not promise "fully-peeled" left out.
func (d *Dir) peelAll(ctx context.Context, p *packedRefs) *packedRefs {
	if p.fullyPeeled {
		return p
	}
	full := &packedRefs{refs: slices.Clone(p.refs), fullyPeeled: true}
	for i := range full.refs {
		if r := &full.refs[i]; r.peeled == object.Zero {
			r.peeled = d.peel(ctx, r.hash)
		}
	}
	return full
}

// peel follows annotated tags to what they are of; Zero for what is no tag.
func (d *Dir) peel(ctx context.Context, h store.Hash) store.Hash {
	peeled := object.Zero
	for range 100 { // tags of tags end somewhere
		if h == object.Zero {
			break
		}
		if t, _, err := d.Stat(ctx, h); err != nil || t != object.TypeTag {
			break
		}
		o, err := d.Object(ctx, h)
		if err != nil {
			break
		}
		tag, err := object.ParseTag(o.Data)
		if err != nil {
			break
		}
		h, peeled = tag.Object, tag.Object
	}
	return peeled
}

// placePacked makes a file written by writeTemp the packed-refs file. Placed
// is true in spite of an error when the file is there, but perhaps not durably.
func (d *Dir) placePacked(temp string) (placed bool, err error) {
	if err := d.disk.rename(temp, packedRefsFile); err != nil {
		return false, fmt.Errorf("replace %s: %w", packedRefsFile, temporary(err))
	}
	if err := d.disk.syncDir("."); err != nil {
		return true, fmt.Errorf("sync %s, which has been replaced: %w", packedRefsFile, err)
	}
	return true, nil
}

// writeTemp writes a file of our own, durably.
func (d *Dir) writeTemp(write func(io.Writer) error) (temp string, err error) {
	s, err := d.create()
	if err != nil {
		return "", err
	}
	if err = write(s.file); err == nil {
		err = s.finish()
	}
	if err != nil {
		d.discard(s)
		return "", fmt.Errorf("write %s: %w", d.root.path(s.temp), temporary(err))
	}
	return s.temp, nil
}
