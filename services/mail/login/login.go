// Package login is how mail programs log in, whatever they speak: SMTP, IMAP and
// ManageSieve have the mechanisms of SASL (RFC 4422) in common, and the users.
//
// PLAIN and LOGIN carry the password and take a chosen or an app password.
// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) carry a proof and take app
// passwords only; PLUS binds it to the TLS connection (RFC 9266), so that nobody in
// the middle can pass it on.
//
//	l := &login.Login{Accounts: accounts}
//	server, err := l.Server(ctx, "PLAIN", conn, func(u *accounts.User) error { user = u; return nil })
//
// All of them need TLS, unless the client is on the same machine.
package login

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"strings"

	"cairn/services/accounts"

	"github.com/emersion/go-sasl"
)

var (
	// ErrMechanism says that there is no such mechanism, or not on this connection.
	ErrMechanism = errors.New("this way to log in is not offered here")
	// ErrTLS says that a password would travel in the clear.
	ErrTLS = errors.New("to log in the connection has to be encrypted: switch on TLS")
	// ErrAuthorization says that somebody logs in and wants to be somebody else.
	ErrAuthorization = errors.New("the password is right, but nobody may act as somebody else")
	// ErrProtocol says that what the client sent is not what the mechanism asks for.
	ErrProtocol = errors.New("that is not what this way to log in asks for")
)

// A Login lets people in. Safe for concurrent use.
type Login struct {
	Accounts *accounts.Accounts
	// Name returns the user whose mail comes to an address, so that people may log in by any
	// of theirs; what it does not know it returns as it is. Nil: only accounts knows addresses.
	Name func(ctx context.Context, address string) string
}

// A Conn is what matters here of a connection.
type Conn struct {
	Remote netip.Addr           // the client's address
	TLS    *tls.ConnectionState // nil without TLS
}

// Private reports whether a password may travel on the connection: it is
// encrypted, or does not leave the machine.
func (c Conn) Private() bool { return c.TLS != nil || c.Remote.Unmap().IsLoopback() }

// Mechanisms lists what can be offered on a connection, the strongest first; none on
// one that is not Private.
func (l *Login) Mechanisms(c Conn) []string {
	switch {
	case !c.Private():
		return nil
	case c.canBind():
		return []string{scramPlus, scramPlain, sasl.Plain, sasl.Login}
	default:
		return []string{scramPlain, sasl.Plain, sasl.Login}
	}
}

// Server returns the server's side of one try to log in by a mechanism, whose name is in
// upper case. done is called when somebody has shown to be a user; its error is what
// the client's log-in ends with. Next's errors are those of this package and of Password.
func (l *Login) Server(ctx context.Context, mechanism string, c Conn, done func(*accounts.User) error) (sasl.Server, error) {
	if !c.Private() {
		return nil, ErrTLS
	}
	password := func(identity, user, password string) error {
		u, err := l.Password(ctx, user, password, c.Remote)
		if err == nil {
			err = l.authorize(ctx, u, identity)
		}
		if err != nil {
			return err
		}
		return done(u)
	}
	switch mechanism {
	case sasl.Plain:
		return newPlain(password), nil
	case sasl.Login:
		return &loginServer{password: password}, nil
	case scramPlain:
		return l.newScram(ctx, c, false, done)
	case scramPlus:
		if !c.canBind() {
			return nil, ErrMechanism
		}
		return l.newScram(ctx, c, true, done)
	}
	return nil, ErrMechanism
}

// Password returns the user of a password: accounts.ErrBadCredentials, a
// *accounts.RateError, or what the store says.
func (l *Login) Password(ctx context.Context, user, password string, from netip.Addr) (*accounts.User, error) {
	return l.Accounts.Authenticate(ctx, l.name(ctx, user), password, from)
}

func (l *Login) name(ctx context.Context, user string) string {
	if l.Name == nil || !strings.Contains(user, "@") {
		return user
	}
	return l.Name(ctx, user)
}

// authorize makes sure that whom a client wants to act as (RFC 4422 §3.4.1) is the one who
// has logged in.
func (l *Login) authorize(ctx context.Context, u *accounts.User, identity string) error {
	if identity == "" {
		return nil
	}
	other, err := l.Accounts.Find(ctx, l.name(ctx, identity))
	if err != nil || other.Name != u.Name {
		return ErrAuthorization
	}
	return nil
}
