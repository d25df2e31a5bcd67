package shelf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// MergeBranch brings a commit and its history into a person's branch, as
// store.Branch.Merge does, but by resource: whatever the layout on either side. What both have changed
// is merged if that is safe; if not, or if its UID is somebody else's by now, what
// they have goes to the collection Conflicts. A change prevails over a removal.
// Properties are merged one by one; where both have changed one, ours stays.
// Other files that both have changed are kept both, theirs under a name that ends in
// the beginning of its hash.
func (s *Shelf) MergeBranch(ctx context.Context, ch store.Change, user string, theirs store.Hash) error {
	return s.Branch(user).MergeTrees(ctx, ch, theirs, func(tx *store.Tx, base, their *store.Tree) error {
		m := merging{ctx, newEdit(s.View(user, tx.Tree()), tx), s.View(user, base), s.View(user, their)}
		for _, kind := range Kinds {
			if err := m.kind(kind); err != nil {
				return err
			}
		}
		for _, kind := range []Kind{"", Calendars, Contacts} {
			if err := m.props(kind); err != nil {
				return err
			}
		}
		if err := m.others(); err != nil {
			return err
		}
		if err := m.locks(); err != nil {
			return err
		}
		return m.ours.finish()
	})
}

// A merging brings what is theirs into an Edit.
type merging struct {
	ctx        context.Context // of the one merge that it lives for
	ours       *Edit
	base, them *Snapshot
}

// kind merges the collections of a kind.
func (m *merging) kind(kind Kind) error {
	names := map[string]bool{}
	for _, side := range []*Snapshot{m.base, m.them} {
		list, err := side.Collections(kind)
		if err != nil {
			return err
		}
		for _, c := range list {
			names[c.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err := m.collection(Path{Kind: kind, Collection: name}); err != nil {
			return fmt.Errorf("merge %s/%s: %w", kind, name, err)
		}
	}
	return nil
}

// find returns a collection, and an empty one that does not exist where there is
// none.
func find(p Path, in interface {
	Collection(Kind, string) (*Collection, error)
}, s *Snapshot) (*Collection, error) {
	c, err := in.Collection(p.Kind, p.Collection)
	if errors.Is(err, fs.ErrNotExist) {
		return &Collection{Kind: p.Kind, Name: p.Collection, snap: s, props: &Props{}}, nil
	}
	return c, err
}

func (m *merging) collection(p Path) error {
	base, err := find(p, m.base, m.base)
	if err != nil {
		return err
	}
	them, err := find(p, m.them, m.them)
	if err != nil {
		return err
	}
	ours, err := find(p, m.ours, m.ours.Snapshot)
	if err != nil {
		return err
	}
	names, err := differing(m.ctx, base, them)
	if err != nil || base.hash == them.hash {
		return err
	}
	slices.Sort(names)
	if !ours.Exists() && them.Exists() && (len(names) > 0 || !base.Exists()) && p.Kind != Inbox {
		if err := m.ours.Make(p, them.props); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	// Removals first: what comes may have the UID of what goes.
	for _, name := range names {
		if err := m.remove(p, name, base, them); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := m.put(p, name, base, them); err != nil {
			return err
		}
	}
	if ours, err = find(p, m.ours, m.ours.Snapshot); err != nil || !ours.Exists() {
		return err
	}
	if u, err := ours.Usage(); !them.Exists() && base.Exists() && err == nil && u.Count == 0 && p.Kind != Inbox {
		return m.ours.Remove(p)
	}
	if merged := mergeProps(base.props, ours.props, them.props); them.Exists() && !merged.Equal(ours.props) {
		return m.ours.SetProps(p, merged)
	}
	return nil
}

// etag is that of a resource, Zero where it is not there.
func etag(c *Collection, name string) (store.Hash, error) {
	r, err := c.Resource(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return r.ETag, err
}

// remove removes what they have removed, unless it was changed here.
func (m *merging) remove(p Path, name string, base, them *Collection) error {
	theirs, err := etag(them, name)
	if err != nil || theirs != object.Zero {
		return err
	}
	was, err := etag(base, name)
	if err != nil {
		return err
	}
	ours, err := find(p, m.ours, m.ours.Snapshot)
	if err != nil {
		return err
	}
	is, err := etag(ours, name)
	if err != nil || is != was || is == object.Zero {
		return err
	}
	p.Name = name
	return m.ours.Remove(p)
}

// put brings in what they have made or changed.
func (m *merging) put(p Path, name string, base, them *Collection) error {
	r, err := them.Resource(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	o, _, err := them.object(r)
	if err != nil {
		return err
	}
	o.in, o.file = r.in, r.file
	var seen []byte
	if was, err := base.Resource(name); err == nil {
		if seen, err = base.Read(was); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.Name = name
	_, err = m.ours.PutFrom(p, seen, o)
	if _, taken := errors.AsType[*UIDError](err); taken {
		_, err = m.ours.toConflicts(p.Kind, name, o)
	}
	return err
}
