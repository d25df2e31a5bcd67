package gitwire

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	making, err := p.separate(ctx)
	if err != nil {
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
	if !making {
		return p.move(ctx, standing)
	}
	deletions, others := split(standing)
	return errors.Join(p.move(ctx, deletions), p.move(ctx, others))
}

// split parts commands into those that delete and the others.
func split(list []*receivedCommand) (deletions, others []*receivedCommand) {
	for _, c := range list {
		if c.New.IsZero() {
			deletions = append(deletions, c)
		} else {
			others = append(others, c)
		}
	}
	return deletions, others
}

// move moves refs until each has moved or been refused.
func (p *receiving) move(ctx context.Context, list []*receivedCommand) error {
	for len(list) > 0 {
		err := p.view.Backend.Commit(ctx, nil, changesOf(list))
		var lost *store.ConflictError
		switch {
		case err == nil:
			for _, c := range list {
				c.moved = true
			}
			return nil
		case errors.As(err, &lost):
			for _, c := range list {
				if c.real == lost.Change.Name {
					c.refuse(staleText(c.Command, lost.Actual))
				}
			}
			// Where one ref has moved others may have: look, before the next try.
			for _, c := range list {
				if err := p.compare(ctx, c); err != nil {
					return err
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
// known which of them is at fault.
func (p *receiving) moveEach(ctx context.Context, list []*receivedCommand) error {
	var errs []error
	for i := range list {
		errs = append(errs, p.move(ctx, list[i:i+1]))
	}
	return errors.Join(errs...)
}

// unmoved refuses commands whose refs could not be moved.
func (p *receiving) unmoved(list []*receivedCommand, err error) error {
	refused, words := errors.AsType[*store.RefusedError](err)
	for _, c := range list {
		switch {
		case words && (c.real == refused.Ref || len(list) == 1):
			c.refuse(oneLine(refused.Reason))
		case errors.Is(err, store.ErrTemporary):
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
