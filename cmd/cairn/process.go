package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"cairn/cmd/setup"
	"cairn/cmd/setup/mail"
	"cairn/libos"
	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/unipi"
)

// A process is a Cairn that is up.
type process struct {
	env      libos.Env
	house    *house
	log      *slog.Logger
	tls      *setup.TLS // nil: none
	web      *setup.Web
	git, ssh net.Listener
	dav      net.Listener
	mail     *mail.Mail
	pushing  sync.Map // refs of mail, of which a push was found to be good
	metrics  string   // URL, "" for none

	sites  *unipi.Sites
	access *unipi.AccessLog
	wire   *gitservice.Service
	follow *followers
	backup *mirrors

	servers []func(context.Context) error // each runs until its context ends

	mu     sync.Mutex     // guards served, and that sites is set in its order
	served []*config.Site // what sites has been told
}

// run serves until ctx ends.
func (p *process) run(ctx context.Context, password string) error {
	if dir := string(p.house.dir); dir != "" {
		defer os.Remove(runPath(dir))
		if err := writeRunning(dir, p.addresses()); err != nil {
			return err
		}
	}
	p.greet(password)

	err := setup.Together(ctx, p.servers...)
	p.access.Flush()
	return err
}

// addresses is what run.json tells.
func (p *process) addresses() running {
	return running{
		PID:  os.Getpid(),
		HTTP: p.web.Scheme() + p.env.Address(p.web),
		Git:  p.web.Scheme() + p.env.Address(p.git),
		SSH:  p.env.Address(p.ssh),
		Dav:  p.davURL(p.env.Address),

		Mail:    p.mail.Addresses(),
		Metrics: p.metrics,
		Domain:  p.sites.Base,
	}
}

// greet tells the person at the terminal what to do next.
func (p *process) greet(password string) {
	out := p.env.Out
	fmt.Fprintf(out, "Site      %s\n", p.url(firstSite, config.Main))
	fmt.Fprintf(out, "Push      %s\n", p.pushCommand(firstSite))
	fmt.Fprintf(out, "Calendars %s/\n", p.davURL(p.friendly))
	fmt.Fprintf(out, "Mail      %s\n", p.mail.Told(p.friendly))
	if password != "" {
		fmt.Fprintf(out, "Password  %s (user %s; shown this once)\n", password, firstUser)
	}
	p.tls.Tell(out)
	if p.house.dir != "" {
		fmt.Fprintf(out, "Home      %s\n", p.house.dir)
	}
	fmt.Fprintln(out, "Ctrl-C stops it.")
}

// pushCommand is what publishes a site, ready to paste.
func (p *process) pushCommand(site string) string {
	return fmt.Sprintf("git push %s%s@%s/%s HEAD:main", p.web.Scheme(), firstUser, p.friendly(p.git), site)
}

// friendly is the address of a listener as a person would type it: localhost
// for loopback, which browsers resolve by themselves together with all its
// subdomains, and for all addresses of this machine.
func (p *process) friendly(l net.Listener) string {
	address := p.env.Address(l)
	at, err := netip.ParseAddrPort(address)
	if err == nil && (at.Addr().Unmap().IsLoopback() || at.Addr().IsUnspecified()) {
		return "localhost:" + strconv.Itoa(int(at.Port()))
	}
	return address
}

// url is the address of a branch of a site.
func (p *process) url(site, branch string) string { return p.web.URL(p.host(site, branch)) }

// host is the name under which a branch of a site is served.
func (p *process) host(site, branch string) string {
	switch {
	case branch != config.Main:
		return p.sites.PreviewHost(site, branch)
	case p.sites.Base != "":
		return site + "." + p.sites.Base
	case site == firstSite && len(p.env.Addrs) > 0:
		return setup.URLHost(p.env.Addrs[0])
	case site == firstSite:
		return "localhost"
	default:
		return site + ".localhost"
	}
}
