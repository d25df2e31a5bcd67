package accounts

import (
	"context"
	"fmt"
	"net/netip"
)

// ScramKeys is what a proof of SCRAM-SHA-256 is checked against (RFC 5802 §3).
type ScramKeys struct{ Stored, Server []byte }

// A ScramTry is a log-in by SCRAM-SHA-256 that has begun: it has what the server
// tells the client before it knows whether there is such a user, and the keys of
// each app password that the user has. It is for one goroutine.
type ScramTry struct {
	Salt       []byte
	Iterations int
	Keys       []ScramKeys // one or more; of nobody, one that no proof fits

	accounts *Accounts
	user     string
	from     netip.Addr
	entry    entry
}

// BeginScram begins a log-in by SCRAM-SHA-256. user is the name or one of the user's addresses.
// Only app passwords open it: of a chosen one no such keys are kept. Somebody who does not exist
// has a salt, too, the same one as long as the process lives. Too many wrong guesses give a *RateError.
func (a *Accounts) BeginScram(ctx context.Context, user string, from netip.Addr) (*ScramTry, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	name := a.named(ctx, s, user)
	if wait := a.limit.wait(from, name); wait > 0 {
		return nil, &RateError{After: wait}
	}
	e := s.users[name]
	if e.err != nil {
		return nil, fmt.Errorf("log in as %q: %w", name, e.err)
	}
	t := &ScramTry{Iterations: scramIterations, accounts: a, user: name, from: from, entry: e}
	if e.record == nil || len(e.record.AppPasswords) == 0 {
		t.Salt = mac(a.secret[:], "salt of "+foldAddress(user))[:16]
		t.Keys = []ScramKeys{{mac(a.secret[:], "nobody's"), mac(a.secret[:], "nobody's")}}
		return t, nil
	}
	for _, p := range e.record.AppPasswords {
		k, err := parseScram(p.Keys)
		if err != nil {
			return nil, fmt.Errorf("log in as %q: %w", name, err)
		}
		t.Salt, t.Keys = k.salt, append(t.Keys, ScramKeys{k.stored, k.server})
	}
	return t, nil
}

// End ends the log-in: proves says whether the client's proof fits one of Keys. It is called
// once, unless there were too many wrong guesses meanwhile, which gives a *RateError. When the
// proof does not fit, or the user's record has changed since, it is ErrBadCredentials.
func (t *ScramTry) End(ctx context.Context, proves func() bool) (*User, error) {
	a := t.accounts
	charge, wait := a.limit.take(t.from, t.user)
	if wait > 0 {
		return nil, &RateError{After: wait}
	}
	if fits := proves(); !fits || t.entry.record == nil || len(t.entry.record.AppPasswords) == 0 {
		return nil, ErrBadCredentials
	}
	s, err := a.snapshot(ctx)
	if err != nil {
		a.limit.forgive(charge)
		return nil, err
	}
	if s.users[t.user].blob != t.entry.blob {
		a.limit.forgive(charge)
		return nil, ErrBadCredentials
	}
	a.limit.welcome(charge)
	return a.with(ctx, s, &t.entry.record.User), nil
}
