package scripts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"cairn/services/accounts"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/sieve"
	"cairn/store"
)

// Room is ErrFull or ErrLong when there is no room for a script of size bytes.
func (s *Shelf) Room(ctx context.Context, user, name string, size int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	if size > sieve.MaxScript {
		return ErrLong
	}
	all, err := s.List(ctx, user)
	if err == nil && len(all) >= MaxScripts && !slices.ContainsFunc(all, func(e Entry) bool { return e.Name == name }) {
		err = ErrFull
	}
	return err
}

// Put keeps a script, in place of one of that name if there is one. One that means nothing is an *sieve.Error.
func (s *Shelf) Put(ctx context.Context, u *accounts.User, name string, source []byte) error {
	if err := s.Room(ctx, u.Name, name, int64(len(source))); err != nil {
		return err
	}
	if _, err := sieve.Parse(source); err != nil {
		return err
	}
	return s.update(ctx, u, "Keep the script "+name, func(e *mailbox.Edit) error { return e.PutFile(pathOf(name), source) })
}

// Activate has a script run on everything from now on, or none ("").
func (s *Shelf) Activate(ctx context.Context, u *accounts.User, name string) error {
	if name == "" {
		return s.update(ctx, u, "Use no script", func(e *mailbox.Edit) error {
			if err := e.RemoveFile(activeFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		})
	}
	if err := checkName(name); err != nil {
		return err
	}
	return s.update(ctx, u, "Use the script "+name, func(e *mailbox.Edit) error {
		if _, err := e.Tx().Lookup(pathOf(name)); err != nil {
			return err
		}
		return e.PutFile(activeFile, []byte(name+"\n"))
	})
}

// Delete removes a script. One that is active is ErrActive, an absent one fs.ErrNotExist.
func (s *Shelf) Delete(ctx context.Context, u *accounts.User, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return s.update(ctx, u, "Delete the script "+name, func(e *mailbox.Edit) error {
		there, err := exists(e.Tx(), name)
		if err != nil {
			return err
		}
		active, err := activeIn(e.Tx())
		switch {
		case err != nil:
			return err
		case there && active == name:
			return ErrActive
		}
		return e.RemoveFile(pathOf(name))
	})
}

// Rename gives a script another name, under which it is active if it was. A name that is taken is
// fs.ErrExist.
func (s *Shelf) Rename(ctx context.Context, u *accounts.User, from, to string) error {
	if err := errors.Join(checkName(from), checkName(to)); err != nil {
		return err
	}
	return s.update(ctx, u, "Rename the script "+from+" to "+to, func(e *mailbox.Edit) error {
		source, err := e.ReadFile(pathOf(from))
		if err != nil {
			return err
		}
		taken, err := exists(e.Tx(), to)
		if err != nil {
			return err
		}
		if taken {
			return fmt.Errorf("rename to %q: %w", to, fs.ErrExist)
		}
		active, err := activeIn(e.Tx())
		if err != nil {
			return err
		}
		if active == from {
			err = e.PutFile(activeFile, []byte(to+"\n"))
		}
		return errors.Join(err, e.PutFile(pathOf(to), source), e.RemoveFile(pathOf(from)))
	})
}

func (s *Shelf) update(ctx context.Context, u *accounts.User, what string, f func(*mailbox.Edit) error) error {
	return s.Mail.Boxes.Update(ctx, store.Change{Author: u.Signature(), Message: what + "\n"}, u.Name, f)
}
