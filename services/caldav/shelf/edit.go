package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"cairn/store"
)

// An Edit is what a person has, being changed by an Update. Its methods see what
// was changed so far; Tree and Commit are those that it began with. It is for one
// goroutine, until the Update's function returns.
type Edit struct {
	*Snapshot
	tx     *store.Tx
	drafts map[Path]*Collection // those that were touched; nil: removed
	kinds  map[Kind]*Props
	locks  []Lock
	relock bool // locks are set
}

func newEdit(s *Snapshot, tx *store.Tx) *Edit {
	return &Edit{Snapshot: s, tx: tx, drafts: map[Path]*Collection{}, kinds: map[Kind]*Props{}}
}

// Tx gives access to what else is on the branch. The collections are not to be
// changed through it.
func (e *Edit) Tx() *store.Tx { return e.tx }

// Collection is Snapshot.Collection after what was changed.
func (e *Edit) Collection(kind Kind, name string) (*Collection, error) {
	c, touched := e.drafts[Path{Kind: kind, Collection: name}]
	switch {
	case c != nil:
		return c, nil
	case touched:
		return nil, fmt.Errorf("%s/%s of %q: %w", kind, name, e.user, fs.ErrNotExist)
	}
	return e.Snapshot.Collection(kind, name)
}

// Collections is Snapshot.Collections after what was changed.
func (e *Edit) Collections(kind Kind) ([]*Collection, error) {
	before, err := e.Snapshot.Collections(kind)
	if err != nil {
		return nil, err
	}
	var list []*Collection
	for _, c := range before {
		if _, touched := e.drafts[c.Path()]; !touched && (c.Exists() || kind == Inbox || !e.madeAny(kind)) {
			list = append(list, c)
		}
	}
	for p, c := range e.drafts {
		if p.Kind == kind && c != nil {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Collection) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Props is Snapshot.Props after what was changed.
func (e *Edit) Props(kind Kind) *Props {
	if p, ok := e.kinds[kind]; ok {
		return p
	}
	return e.Snapshot.Props(kind)
}

// finish brings the branch in order after the Update's function.
func (e *Edit) finish() error {
	for _, p := range slices.SortedFunc(maps.Keys(e.drafts), func(a, b Path) int { return strings.Compare(a.String(), b.String()) }) {
		c := e.drafts[p]
		if c == nil {
			continue
		}
		if err := e.layOut(c); err != nil {
			return fmt.Errorf("lay out %s: %w", p, err)
		}
		if _, err := e.tx.Lookup(c.dir); errors.Is(err, fs.ErrNotExist) && c.Kind != Inbox {
			if err := e.setProps(c, c.props); err != nil {
				return err
			}
		}
	}
	if err := e.sweepLocks(); err != nil {
		return err
	}
	return e.checkQuota()
}
