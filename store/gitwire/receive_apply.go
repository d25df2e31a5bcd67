package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cairn/store"
)

// apply makes the objects durable and then moves the refs, all in one write if
// nobody comes between.
func (p *receiving) apply(ctx context.Context) error {
	for _, c := range p.standing() {
		if err := p.compare(ctx, c); err != nil {
			return err
		}
	}
	if err := p.separate(ctx); err != nil {
		return err
	}
	p.keepAtomic()
	standing := p.standing()
	if len(standing) == 0 {
		return nil
	}
	if p.pack != nil {
		if err := p.pack.Keep(ctx); err != nil {
			return fmt.Errorf("keep pack: %w", err)
		}
	}
	return p.move(ctx, standing)
}

// move moves refs until each has moved or been refused.
func (p *receiving) move(ctx context.Context, list []*receivedCommand) error {
	for len(list) > 0 {
		err := p.view.Backend.Commit(ctx, nil, changesOf(list))
		var lost *store.ConflictError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &lost):
			for _, c := range list {
				if c.real == lost.Change.Name {
					c.refuse(staleText(c.Command, lost.Actual))
				}
			}
			p.keepAtomic()
		case p.request.atomic || len(list) == 1 || errors.Is(err, store.ErrTemporary):
			return p.unmoved(list, err)
		default:
			return p.moveEach(ctx, list)
		}
		rest := slices.DeleteFunc(slices.Clone(list), func(c *receivedCommand) bool { return c.refused != "" })
		if len(rest) == len(list) {
			return p.unmoved(list, err)
		}
		list = rest
	}
	return nil
}

// moveEach moves refs one by one, because together they could not be and it is not
// known which of them is at fault. Deletions come first: they may make room.
func (p *receiving) moveEach(ctx context.Context, list []*receivedCommand) error {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *receivedCommand) int {
		switch {
		case a.New.IsZero() == b.New.IsZero():
			return 0
		case a.New.IsZero():
			return -1
		}
		return 1
	})
	var errs []error
	for i := range list {
		errs = append(errs, p.move(ctx, list[i:i+1]))
	}
	return errors.Join(errs...)
}

// unmoved refuses commands whose refs could not be moved.
func (p *receiving) unmoved(list []*receivedCommand, err error) error {
	for _, c := range list {
		if errors.Is(err, store.ErrTemporary) {
			c.refuse(clientText(err))
		}
		c.refuse("cannot update the ref")
	}
	return fmt.Errorf("move refs: %w", err)
}

func changesOf(list []*receivedCommand) []store.RefChange {
	changes := make([]store.RefChange, len(list))
	for i, c := range list {
		changes[i] = store.RefChange{Name: c.real, Old: c.Old, New: c.New}
	}
	return changes
}

// separate refuses to create a ref where another is a folder, or the other way
// round: refs/heads/a and refs/heads/a/b cannot both be. Refs that the push
// deletes are not in the way.
func (p *receiving) separate(ctx context.Context) error {
	deleted := make(map[string]bool)
	created := make(map[string]bool)
	for _, c := range p.standing() {
		deleted[c.real] = c.New.IsZero()
		created[c.real] = c.Old.IsZero()
	}
	for _, c := range p.standing() {
		if !c.Old.IsZero() {
			continue
		}
		above, err := p.above(ctx, c.real, deleted, created)
		if err != nil {
			return err
		}
		if above || p.below(ctx, c.real, deleted) {
			c.refuse("cannot create " + shortRef(c.Name) + ": another ref stands in the way, " +
				"its name being a folder of the other's")
		}
	}
	return nil
}

// above reports whether a ref stands where name needs a folder.
func (p *receiving) above(ctx context.Context, name string, deleted, created map[string]bool) (bool, error) {
	for folder := path.Dir(name); strings.Contains(folder, "/"); folder = path.Dir(folder) {
		if created[folder] {
			return true, nil
		}
		if deleted[folder] {
			continue
		}
		_, err := p.view.Backend.Ref(ctx, folder)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("read ref %s: %w", folder, err)
		}
	}
	return false, nil
}

// below reports whether a ref lies in the folder that name would be.
func (p *receiving) below(ctx context.Context, name string, deleted map[string]bool) bool {
	for ref, err := range p.view.Backend.Refs(ctx, name+"/") {
		if err != nil {
			return false // moving the refs will show it
		}
		if !deleted[ref.Name] {
			return true
		}
	}
	return false
}
