package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
)

// ErrAppPassword says that a password is right, but one that was made for a
// program or device, where a person has to log in.
var ErrAppPassword = errors.New("this is an app password: it is for programs and devices; log in with the password that you have chosen")

// AuthenticateChosen is Authenticate for where a person logs in to manage their
// account: only the chosen password opens it, so that a lost device does not. An
// app password gives ErrAppPassword and is no wrong guess.
func (a *Accounts) AuthenticateChosen(ctx context.Context, user, password string, from netip.Addr) (*User, error) {
	return a.authenticate(ctx, user, password, from, true)
}

// PasswordStamp is something that changes whenever the user's chosen password is
// set, to the same one too, and tells nothing about it: a session that was begun
// with another stamp is over. A user that is absent or has no chosen password
// is fs.ErrNotExist.
func (a *Accounts) PasswordStamp(ctx context.Context, name string) ([32]byte, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return [32]byte{}, err
	}
	e, ok := s.users[name]
	switch {
	case !ok || e.err == nil && e.record.Password == "":
		return [32]byte{}, fmt.Errorf("chosen password of %q: %w", name, fs.ErrNotExist)
	case e.err != nil:
		return [32]byte{}, fmt.Errorf("user %q: %w", name, e.err)
	}
	return sha256.Sum256([]byte("cairn password stamp\x00" + e.record.Password)), nil
}
