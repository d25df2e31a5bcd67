package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// props merges the properties of the home, or of the folder of a kind.
func (m *merging) props(kind Kind) error {
	base, err := m.base.readProps(m.base.tree, kindProps(kind))
	if err != nil {
		return err
	}
	theirs, err := m.them.readProps(m.them.tree, kindProps(kind))
	if err != nil || theirs.Equal(base) {
		return err
	}
	ours := m.ours.Props(kind)
	if merged := mergeProps(base, ours, theirs); !merged.Equal(ours) {
		return m.ours.SetProps(Path{Kind: kind}, merged)
	}
	return nil
}

// others merges the files that are no resources, nor properties of collections that
// collection has merged.
func (m *merging) others() error {
	tx := m.ours.tx
	for d, err := range m.base.tree.Diff(m.ctx, m.them.tree) {
		if err != nil {
			return err
		}
		if isMergedOtherwise(d.Path) {
			continue
		}
		ours, err := tx.Lookup(d.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		ours.Name = d.New.Name
		old := d.Old
		old.Name = d.New.Name
		switch {
		case ours == d.New:
		case ours == old && d.New.Mode == 0:
			err = tx.Remove(d.Path)
		case ours == old:
			err = tx.Link(d.Path, d.New)
		case d.New.Mode != 0:
			err = tx.Link(d.Path+"-"+d.New.Hash.String()[:8], d.New)
		default:
			err = nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("merge %s: %w", d.Path, err)
		}
	}
	return nil
}

func isMergedOtherwise(path string) bool {
	kind, rest, _ := strings.Cut(path, "/")
	if path == locksFile || path == propsFile || rest == propsFile && (Kind(kind) == Calendars || Kind(kind) == Contacts) {
		return true
	}
	if Kind(kind) == Inbox {
		rest = "inbox/" + rest
	} else if Kind(kind) != Calendars && Kind(kind) != Contacts {
		return false
	}
	if coll, file, ok := strings.Cut(rest, "/"); ok && coll != "" && file == propsFile {
		return true
	}
	return strings.HasSuffix(rest, Kind(kind).ext()) && !strings.HasPrefix(rest, ".") && !strings.Contains(rest, "/.")
}

// locks keeps those of both sides, without those that one has removed.
func (m *merging) locks() error {
	was, _, err := m.base.allLocks()
	if err != nil {
		return err
	}
	theirs, there, err := m.them.allLocks()
	if err != nil || !there && len(was) == 0 {
		return err
	}
	list, err := m.ours.Locks()
	if err != nil {
		return err
	}
	has := func(list []Lock, token string) bool {
		return slices.ContainsFunc(list, func(l Lock) bool { return l.Token == token })
	}
	list = slices.DeleteFunc(list, func(l Lock) bool { return has(was, l.Token) && !has(theirs, l.Token) })
	for _, l := range theirs {
		if !has(was, l.Token) && !has(list, l.Token) {
			list = append(list, l)
		}
	}
	return m.ours.SetLocks(list)
}
