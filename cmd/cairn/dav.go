package main

import (
	"context"
	"net"
	"net/http"
	"strings"

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	gitservice "cairn/services/git"
	"cairn/services/monitor"
)

// davHost is where below a domain calendars and contacts are. No site can be called
// dav.
func davHost(domain string) string { return "dav." + domain }

// newDav wires calendars and contacts.
func (p *process) newDav(watch *monitor.Monitor) *dav.Dav {
	return &dav.Dav{
		Shelf:    p.house.shelf,
		Accounts: p.house.accounts,
		Secrets:  p.house.secrets,
		Base:     p.davBase(),
		TLS:      p.tls != nil,
		Client:   setup.Outbound(p.env).Client(),
		Invite:   p.mail.Invite,
		Mail:     p.mail.Device,
		Watch:    watch,
		Log:      p.log,
	}
}

// davURL is the base URL of calendars and contacts, without a slash at its end:
// below the domain where that is served over TLS, else at a port of their own.
func (p *process) davURL(address func(net.Listener) string) string {
	if domain := p.davDomain(); domain != "" {
		return strings.TrimSuffix(p.web.URL(davHost(domain)), "/")
	}
	return p.web.Scheme() + address(p.dav)
}

// davBase is davURL for devices, "" where this machine may have any address: then it is
// the one that somebody came by.
func (p *process) davBase() string {
	if p.davDomain() == "" && setup.Everywhere(p.env, p.dav) {
		return ""
	}
	return p.davURL(p.friendly)
}

// davDomain is the domain below which calendars and contacts are served beside
// the sites, "" for none: without TLS they are not.
func (p *process) davDomain() string {
	if p.tls == nil {
		return ""
	}
	return p.env.Args.String("domain")
}

// davHosts are the host names on the sites' port that are calendars' and contacts'.
func (p *process) davHosts(h http.Handler) map[string]http.Handler {
	domain := p.davDomain()
	if domain == "" {
		return nil
	}
	return map[string]http.Handler{strings.ToLower(davHost(domain)): h}
}

// wellKnown leads devices that know nothing but the domain (RFC 6764).
func (p *process) wellKnown() map[string]string {
	domain := strings.ToLower(p.davDomain())
	if domain == "" {
		return nil
	}
	to := p.web.URL(davHost(domain))
	return map[string]string{domain + "/.well-known/caldav": to, domain + "/.well-known/carddav": to}
}

// checkDav is what a push to somebody's calendars and contacts must satisfy.
func (p *process) checkDav(ctx context.Context, c gitservice.Change) error {
	return dav.Check(ctx, p.house.shelf, c.Branch, c.Old, c.New)
}
