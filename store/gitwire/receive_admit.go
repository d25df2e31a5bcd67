package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// admit refuses what can be refused before the pack is read: names that may
// not be, refs that have moved.
func (p *receiving) admit(ctx context.Context) error {
	byName := make(map[string]*receivedCommand)
	byReal := make(map[string]*receivedCommand)
	for _, command := range p.request.commands {
		c := &receivedCommand{Command: command}
		p.commands = append(p.commands, c)
		p.name(c)
		refuseTwice(byName, c.Name, c)
		if c.refused == "" {
			refuseTwice(byReal, c.real, c)
		}
	}
	for _, c := range p.standing() {
		if err := p.compare(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// name checks a command's name and finds its real one.
func (p *receiving) name(c *receivedCommand) {
	switch {
	case !strings.HasPrefix(c.Name, "refs/"), len(c.Name) > maxRefName, !object.ValidRefName(c.Name):
		c.refuse("invalid ref name")
	case c.Old.IsZero() && c.New.IsZero():
		c.refuse("there is nothing to delete")
	case p.view.Allow == nil:
		c.refuse("this repository is read-only")
	default:
		real, err := p.view.Real(c.Name)
		if err != nil {
			c.refuse(refusal(err))
		}
		c.real = real
	}
}

// refuseTwice refuses two commands for one ref, both of them.
func refuseTwice(seen map[string]*receivedCommand, name string, c *receivedCommand) {
	first, twice := seen[name]
	if !twice {
		seen[name] = c
		return
	}
	for _, c := range []*receivedCommand{first, c} {
		c.refuse(fmt.Sprintf("multiple updates for ref '%s' not allowed", c.Name))
	}
}

// refusal is the text of an error that a view's function refuses with.
func refusal(err error) string {
	if errors.Is(err, store.ErrTemporary) {
		return clientText(err)
	}
	if text := oneLine(err.Error()); text != "" {
		return text
	}
	return "refused"
}

// compare refuses a command whose old value is not what the ref has now.
// The backend compares once more when it moves the ref; doing it here as well
// spares the loser of a race his upload and keeps his objects out.
func (p *receiving) compare(ctx context.Context, c *receivedCommand) error {
	ref, err := p.view.Backend.Ref(ctx, c.real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read ref %s: %w", c.real, err)
	}
	if ref.Target != "" {
		c.refuse("it is a symbolic ref")
	}
	if ref.Hash != c.Old {
		c.refuse(staleText(c.Command, ref.Hash))
	}
	return nil
}

// staleText says what is wrong with a command's old value.
func staleText(c Command, actual store.Hash) string {
	name := shortRef(c.Name)
	switch {
	case c.Old.IsZero():
		return "stale info: " + name + " exists already, fetch first"
	case actual.IsZero():
		return "stale info: " + name + " does not exist any more, fetch first"
	}
	return "stale info: " + name + " has moved, fetch first"
}

// shortRef is a ref's name as people say it.
func shortRef(name string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/"} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
	}
	return name
}
