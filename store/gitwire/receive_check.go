package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/store/object"
)

// maxUnconnected is after how many refs with missing objects a push is
// looked at no further: each of them may cost a walk through the whole pack.
const maxUnconnected = 16

// check looks at what has arrived: whether it is complete, then whether the
// view's owner wants it.
func (p *receiving) check(ctx context.Context) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	for _, c := range p.standing() {
		if err := p.look(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range p.standing() {
		if err := p.view.Allow(ctx, p.push, c.Command); err != nil {
			c.refuse(refusal(err))
		}
	}
	p.keepAtomic()
	standing := p.standing()
	if len(standing) == 0 || p.view.Accept == nil {
		return nil
	}
	p.push.Commands = commandsOf(standing)
	if err := p.view.Accept(ctx, p.push); err != nil {
		p.refuseAll(refusal(err))
	}
	return nil
}

// connect refuses commands whose new value does not have all it needs.
func (p *receiving) connect(ctx context.Context) error {
	check := newConnectivity(p.pack, p.view.Backend, p.reach, p.request.shallow)
	failed := 0
	for _, c := range p.standing() {
		if c.New.IsZero() {
			continue
		}
		if failed == maxUnconnected {
			c.refuse(string(errMissing))
			continue
		}
		var bad requestError
		err := check.check(ctx, c.New)
		if errors.As(err, &bad) {
			c.refuse(string(bad))
			failed++
		} else if err != nil {
			return fmt.Errorf("check %s: %w", c.Name, err)
		}
		c.forward = err == nil && check.standsOn(c.New, c.Old)
	}
	return nil
}

// look finds out what kind of change a command is.
func (p *receiving) look(ctx context.Context, c *receivedCommand) error {
	if c.New.IsZero() {
		return nil
	}
	t, _, err := p.push.Objects.Stat(ctx, c.New)
	if err != nil {
		return fmt.Errorf("look at %s: %w", c.New, err)
	}
	if strings.HasPrefix(c.Name, "refs/heads/") && t != object.TypeCommit {
		c.refuse(fmt.Sprintf("a branch cannot be a %s", t))
		return nil
	}
	if c.Old.IsZero() || c.forward {
		return nil
	}
	ok, err := descends(ctx, p.push.Objects, c.New, c.Old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("compare %s with %s: %w", c.New, c.Old, err)
	}
	c.Forced = !ok
	return nil
}
