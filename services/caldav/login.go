package caldav

import (
	"net/netip"

	"cairn/services/accounts"
)

// login returns who sent the request (RFC 7617).
func (x *exchange) login() (*accounts.User, error) {
	name, password, ok := x.r.BasicAuth()
	if !ok {
		return nil, accounts.ErrBadCredentials
	}
	from := remote(x.r.RemoteAddr)
	u, err := x.Accounts.Authenticate(x.ctx(), name, password, from)
	if err != nil {
		if !accounts.ValidName(name) {
			name = "" // people type passwords there
		}
		x.log().Warn("log-in refused", "protocol", "dav", "user", name, "from", from, "err", err)
	}
	return u, err
}

// remote is the IP address in a host:port; the zero Addr when there is none.
func remote(hostport string) netip.Addr {
	a, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr()
}
