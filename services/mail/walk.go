package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/accounts"
)

// A walk follows aliases.
type walk struct {
	service *Service
	route   Route
	seen    map[string]bool // addresses and users that were reached
}

// to adds whom an address leads to.
func (w *walk) to(ctx context.Context, address string, depth int) error {
	local, domain, err := SplitAddress(address)
	if err != nil {
		return err
	}
	served, err := w.service.Local(ctx, domain)
	switch {
	case err != nil:
		return err
	case !served && depth == 0:
		return &NotLocalError{address}
	case !served:
		w.forward(address)
		return nil
	}
	if back, ok, err := w.service.sender(address, domain); ok || err != nil {
		if err == nil {
			w.forward(back)
		}
		return err
	}
	name, detail, _ := strings.Cut(local, detailMark)
	for _, try := range []struct{ local, detail string }{{local, ""}, {name, detail}} {
		if found, err := w.at(ctx, try.local, domain, try.detail, address, depth); found || err != nil {
			return err
		}
		if name == local {
			break
		}
	}
	return w.rest(ctx, name, domain, address)
}

// at adds whom local@domain leads to, and reports whether it does.
func (w *walk) at(ctx context.Context, local, domain, detail, address string, depth int) (bool, error) {
	if domain != "" && domain != localhost {
		d, err := w.service.Config.Domain(ctx, domain)
		if err != nil {
			return false, err
		}
		if to, ok := d.Aliases[local]; ok {
			return true, w.alias(ctx, to, local+"@"+domain, detail, address, depth)
		}
	}
	for _, sink := range w.service.Sinks {
		takes, err := sink.Takes(ctx, local, domain)
		if err != nil {
			return false, err
		}
		if takes {
			w.sink(sink, local+"@"+domain)
			return true, nil
		}
	}
	u, err := w.service.Accounts.Find(ctx, local+"@"+domain)
	if errors.Is(err, fs.ErrNotExist) && accounts.ValidName(local) {
		u, err = w.service.Accounts.User(ctx, local)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	w.user(u.Name, detail, address)
	return true, nil
}

// alias adds those whom an alias leads to: those of them that exist.
func (w *walk) alias(ctx context.Context, to []string, alias, detail, address string, depth int) error {
	if w.seen[alias] {
		return nil
	}
	w.seen[alias] = true
	if depth >= aliasDepth {
		return fmt.Errorf("alias %s: more than %d aliases lead to one another", alias, aliasDepth)
	}
	var missing error
	found := false
	for _, r := range to {
		var err error
		if accounts.ValidName(r) {
			if _, err = w.service.Accounts.User(ctx, r); errors.Is(err, fs.ErrNotExist) {
				err = &UnknownError{address}
			} else if err == nil {
				w.user(r, detail, address)
			}
		} else {
			err = w.to(ctx, r, depth+1)
		}
		var unknown *UnknownError
		switch {
		case err == nil:
			found = true
		case errors.As(err, &unknown):
			missing = &UnknownError{address}
		default:
			return err
		}
	}
	if found {
		return nil
	}
	return missing
}

// rest adds who gets what is for nobody else.
func (w *walk) rest(ctx context.Context, name, domain, address string) error {
	if name == postmaster || name == abuse && domain != "" {
		user, err := w.service.postmaster(ctx)
		if err == nil {
			w.user(user, "", address)
		}
		return err
	}
	if domain == "" || domain == localhost {
		return &UnknownError{address}
	}
	d, err := w.service.Config.Domain(ctx, domain)
	if err != nil {
		return err
	}
	if d.CatchAll == "" {
		return &UnknownError{address}
	}
	if _, err := w.service.Accounts.User(ctx, d.CatchAll); err != nil {
		return &UnknownError{address}
	}
	w.user(d.CatchAll, "", address)
	return nil
}

func (w *walk) user(name, detail, address string) {
	key := name + detailMark + detail
	if !w.seen[key] {
		w.seen[key] = true
		w.route.Users = append(w.route.Users, Target{User: name, Detail: detail, Address: address})
	}
}

func (w *walk) sink(s Sink, address string) {
	if !w.seen[address] {
		w.seen[address] = true
		w.route.sinks = append(w.route.sinks, sunk{s, address})
	}
}

func (w *walk) forward(address string) {
	if !w.seen[address] {
		w.seen[address] = true
		w.route.Forward = append(w.route.Forward, address)
	}
}
