package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/crypto/ssh"
)

// Authenticate returns the user who proves to be one by a chosen or an app
// password. user is the name or one of the user's addresses; from is where the request comes from. A wrong password and a user
// that does not exist take the same time and give ErrBadCredentials; too many of
// them give a *RateError before any password is looked at. An empty password is refused
// and not counted.
func (a *Accounts) Authenticate(ctx context.Context, user, password string, from netip.Addr) (*User, error) {
	return a.authenticate(ctx, user, password, from, false)
}

func (a *Accounts) authenticate(ctx context.Context, user, password string, from netip.Addr, chosenOnly bool) (*User, error) {
	if password == "" {
		// Nobody's, and no guess: curl, and so git, sends a name that stands
		// in the URL without a password before it asks for one.
		return nil, ErrBadCredentials
	}
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	user = a.named(ctx, s, user) // "" is nobody's name: all such count as one in the tallies
	if wait := a.limit.wait(from, user); wait > 0 {
		return nil, &RateError{After: wait}
	}
	e := s.users[user]
	if e.err != nil {
		return nil, fmt.Errorf("log in as %q: %w", user, e.err)
	}
	password, err = normalise(password)
	if err != nil {
		password = "" // is nobody's either, but is paid for
	}
	key := a.cacheKey(user, password, e, chosenOnly)
	if !a.isVerified(key) {
		if err := a.verify(ctx, user, password, e, key, from, chosenOnly); err != nil {
			return nil, err
		}
	}
	return a.with(ctx, s, &e.record.User), nil
}

// verify checks a password that is not known yet to be right. Requests that
// come at the same moment from one address with the same password are one check
// and one try.
func (a *Accounts) verify(ctx context.Context, user, password string, e entry, key [32]byte, from netip.Addr, chosenOnly bool) error {
	done := a.flight.DoChan(string(key[:])+from.String(), func() (any, error) {
		ctx := context.WithoutCancel(ctx) // others may be waiting for it too
		charge, wait := a.limit.take(from, user)
		if wait > 0 {
			return nil, &RateError{After: wait}
		}
		ok, err := a.matches(ctx, e.record, password, chosenOnly)
		if err != nil {
			a.limit.forgive(charge)
			return nil, err
		}
		if !ok {
			return nil, ErrBadCredentials
		}
		a.limit.welcome(charge)
		a.setVerified(key)
		return nil, nil
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// matches does the same work whether or not there is a record, a chosen
// password or an app password, unless the password is an app password.
func (a *Accounts) matches(ctx context.Context, r *record, password string, chosenOnly bool) (bool, error) {
	nobody := r == nil
	if nobody {
		r = &record{}
	}
	app, err := r.isAppPassword(password)
	if err == nil && app && !nobody && chosenOnly {
		err = ErrAppPassword
	}
	if err != nil || app {
		return app && !nobody, err
	}
	h := current
	if r.Password != "" {
		if h, err = parsePHC(r.Password); err != nil {
			return false, err
		}
	}
	ok, err := a.hasher.verify(ctx, h, password)
	return ok && r.Password != "" && password != "", err
}

// AuthenticateKey returns the user whose SSH key this is, or ErrBadCredentials.
// The caller has made sure, or will, that the other side holds the private key.
func (a *Accounts) AuthenticateKey(ctx context.Context, key ssh.PublicKey) (*User, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	name, ok := s.keys[string(key.Marshal())]
	if !ok {
		return nil, ErrBadCredentials
	}
	return a.with(ctx, s, &s.users[name].record.User), nil
}

// cacheKey names a password that was right for one version of one record.
// Without the process's secret it says nothing about the password.
func (a *Accounts) cacheKey(user, password string, e entry, chosenOnly bool) (key [32]byte) {
	h := hmac.New(sha256.New, a.secret[:])
	h.Write(e.blob[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(user)))
	h.Write(n[:])
	h.Write([]byte(user + password))
	if chosenOnly {
		h.Write([]byte{0}) // which is in no password
	}
	h.Sum(key[:0])
	return key
}

func (a *Accounts) isVerified(key [32]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.verified.get(key)
	return ok
}

func (a *Accounts) setVerified(key [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verified.put(key, struct{}{})
}

func newSecret() (s [32]byte) {
	rand.Read(s[:])
	return s
}
