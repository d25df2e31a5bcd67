package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/gitwire"
)

// A ForeignError says that a backup holds what is not of this repository: somebody
// else writes to it, or it is another one's.
type ForeignError struct {
	Refs []string
}

func (e *ForeignError) Error() string {
	const most = 5
	list := e.Refs
	if len(list) > most {
		list = append(slices.Clip(list[:most]), "…")
	}
	return "the backup holds what does not come from here, and keeps it: " + strings.Join(list, ", ")
}

// sync carries over the refs of some names, nil for all. What is at the backup is
// listed for all, and known for the others: it is as the last push left it, and
// where it is not, the backup refuses.
func (m *Mirror) sync(ctx context.Context, names map[string]bool) error {
	here, err := refs(ctx, m.From, names)
	if err != nil {
		return fmt.Errorf("list refs: %w", err)
	}
	if names == nil {
		if err := m.list(ctx); err != nil {
			return err
		}
	}
	p, err := m.plan(ctx, here, names)
	if err != nil || len(p.Commands) == 0 {
		return err
	}
	if err := m.To.Push(ctx, p); err != nil {
		return err
	}
	for _, c := range p.Commands {
		if c.New.IsZero() {
			delete(m.there, c.Name)
		} else {
			m.there[c.Name] = c.New
		}
	}
	return nil
}

// list asks what is at the backup.
func (m *Mirror) list(ctx context.Context) error {
	list, err := m.To.Refs(ctx, "refs/")
	if err != nil {
		return err
	}
	m.there, m.foreign = make(map[string]store.Hash, len(list)), map[string]bool{}
	for _, ref := range list {
		m.there[ref.Name] = ref.Hash
	}
	return nil
}

// refs lists the refs of a repository, or those of some names.
func refs(ctx context.Context, b store.Backend, names map[string]bool) (map[string]store.Hash, error) {
	list := map[string]store.Hash{}
	if names == nil {
		for ref, err := range b.Refs(ctx, "refs/") {
			if err != nil {
				return nil, err
			}
			list[ref.Name] = ref.Hash
		}
		return list, nil
	}
	for name := range names {
		ref, err := b.Ref(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list[name] = ref.Hash
	}
	return list, nil
}

// plan works out what to push, and which refs there are not to be touched. Only
// what is known here is replaced.
func (m *Mirror) plan(ctx context.Context, here map[string]store.Hash, names map[string]bool) (gitwire.PushRequest, error) {
	p := gitwire.PushRequest{From: m.From, Partial: true}
	if names == nil {
		names = map[string]bool{}
		for _, refs := range []map[string]store.Hash{here, m.there} {
			for name := range refs {
				names[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := m.there[name], here[name]
		delete(m.foreign, name)
		if old == now {
			continue
		}
		if ok, err := m.known(ctx, old); err != nil {
			return p, err
		} else if !ok {
			m.foreign[name] = true
			continue
		}
		p.Commands = append(p.Commands, gitwire.Command{Name: name, Old: old, New: now})
	}
	for name, h := range m.there {
		if !m.foreign[name] {
			p.Have = append(p.Have, h)
		}
	}
	return p, nil
}

// known reports whether a value at the backup, or none, is one that was here.
func (m *Mirror) known(ctx context.Context, h store.Hash) (bool, error) {
	if h.IsZero() {
		return true, nil
	}
	_, _, err := m.From.Stat(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
