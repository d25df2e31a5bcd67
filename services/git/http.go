package git

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"cairn/services/accounts"
	"cairn/store/gitwire"
)

// HTTP returns the handler of the git base URL. Users log in with HTTP basic
// authentication, with a chosen or an app password.
func (s *Service) HTTP() http.Handler {
	return &gitwire.HTTPHandler{
		Open: func(_ http.ResponseWriter, r *http.Request, path string, write bool) (*gitwire.View, error) {
			u, err := s.httpUser(r)
			if err != nil {
				return nil, err
			}
			return s.open(r.Context(), u, path, write)
		},
		Log: s.Log,
	}
}

// httpUser returns who sent the request, nil for somebody who did not try to
// log in.
func (s *Service) httpUser(r *http.Request) (*accounts.User, error) {
	name, password, ok := r.BasicAuth()
	if !ok && r.Header.Get("Authorization") == "" {
		return nil, nil
	}
	if password == "" {
		return nil, gitwire.ErrUnauthorized // git tries a name in the URL so, before it asks for the password
	}
	u, err := s.password(r.Context(), "http", name, password, address(r.RemoteAddr))
	var rate *accounts.RateError
	switch {
	case errors.As(err, &rate):
		return nil, &gitwire.StatusError{Status: http.StatusTooManyRequests, Text: err.Error(), After: rate.After}
	case errors.Is(err, accounts.ErrBadCredentials):
		return nil, gitwire.ErrUnauthorized
	default:
		return u, err
	}
}

// password logs somebody in, or notes that it could not. What was given as the
// user's name is kept only if it could be one: people type passwords there.
func (s *Service) password(ctx context.Context, protocol, name, password string, from netip.Addr) (*accounts.User, error) {
	u, err := s.Accounts.Authenticate(ctx, name, password, from)
	if err != nil {
		if !accounts.ValidName(name) {
			name = ""
		}
		s.log().Warn("log-in refused", "protocol", protocol, "user", name, "from", from, "err", err)
	}
	return u, err
}

// address is the IP address in a host:port; the zero Addr when there is none.
func address(hostport string) netip.Addr {
	a, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr()
}
