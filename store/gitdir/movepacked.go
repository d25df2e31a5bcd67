package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

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
