package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/unipi"
)

// newProcess opens the listeners and wires the services to them and to the
// house. Nothing runs yet.
func newProcess(ctx context.Context, env libos.Env, h *house) (*process, error) {
	log := env.Log
	p := &process{env: env, house: h, log: log, access: &unipi.AccessLog{W: env.Err}}
	cert, err := certificate(env.Args)
	if err != nil {
		return nil, err
	}
	p.tls = cert != nil
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.follow = &followers{house: h, log: log, out: outbound(env).Transport(), running: map[string]*following{}}
	p.sites = &unipi.Sites{
		Repo:     h.repo,
		Base:     env.Args.String("domain"),
		Loopback: isLoopback(p.http),
		Default:  firstSite,
		First:    p.firstPage,
		Webhook:  &unipi.Webhook{Secret: p.webhookSecret, Pushed: p.follow.wake},
		Access:   p.access,
		Log:      log,
	}
	if err := p.refresh(ctx); err != nil {
		return nil, err
	}
	p.wire = &gitservice.Service{
		Repo:     h.repo,
		Accounts: h.accounts,
		Config:   h.config,
		Secrets:  h.secrets,
		Checks:   map[string]gitservice.Check{gitservice.Site: p.checkSite},
		URL:      p.published,
		Log:      log,
	}
	ssh, err := p.wire.SSH(ctx)
	if err != nil {
		return nil, err
	}
	wire := p.wire.HTTP()
	if isLoopback(p.git) {
		wire = onlyLocalNames(wire)
	}
	p.serve(p.http, cert, p.sites)
	p.serve(p.git, cert, wire)
	p.servers = append(p.servers,
		func(ctx context.Context) error { return ssh.Serve(ctx, p.ssh) },
		p.watchConfig,
	)
	return p, nil
}

// serve adds an HTTP server on l.
func (p *process) serve(l net.Listener, cert *tls.Certificate, h http.Handler) {
	s := &unipi.Server{Handler: h, Log: p.log}
	if cert != nil {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	}
	p.servers = append(p.servers, func(ctx context.Context) error { return serveHTTP(ctx, s, l) })
}

func (p *process) listen(ctx context.Context) (err error) {
	for _, l := range []struct {
		to   *net.Listener
		name string
	}{{&p.http, "http"}, {&p.git, "git"}, {&p.ssh, "ssh"}} {
		if *l.to, err = p.env.Listen(ctx, l.name); err != nil {
			return err
		}
	}
	return nil
}

// certificate reads the one that was given, nil for none.
func certificate(args libos.Args) (*tls.Certificate, error) {
	if !args.Given("tls-cert") {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(args.String("tls-cert"), args.String("tls-key"))
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return &cert, nil
}

// outbound reaches the remotes that users name.
func outbound(env libos.Env) *unipi.Outbound {
	out := &unipi.Outbound{
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return env.Net.Resolver().LookupNetIP(ctx, "ip", host)
		},
		Dial: env.Net.Dial,
	}
	if env.Args.Bool("allow-private") {
		out.Allow = func(netip.Addr) bool { return true }
	}
	return out
}

// firstPage is what a site shows until something is pushed to it.
func (p *process) firstPage(site string) *unipi.FirstPage {
	return &unipi.FirstPage{
		Address: p.url(site, config.Main),
		Steps:   []string{"git add . && git commit -m 'First page'", p.pushCommand(site)},
	}
}

// webhookSecret is what the forge of a site that is followed signs with.
func (p *process) webhookSecret(site string) ([]byte, bool) {
	s, err := p.house.config.Site(context.Background(), site)
	if err != nil || s.Remote == nil || !s.Remote.Webhook {
		return nil, false
	}
	secret, err := p.house.secrets.Get(context.Background(), webhookSecret(site))
	if err != nil {
		p.log.Error("secret of a webhook cannot be read", "site", site, "err", err)
	}
	return secret, err == nil
}

// checkSite is what a push to a site must satisfy.
func (p *process) checkSite(ctx context.Context, c gitservice.Change) error {
	warnings, err := unipi.CheckPush(ctx, c.Old, c.New)
	for _, w := range warnings {
		fmt.Fprintln(c.Tell, "warning:", w)
	}
	return err
}

// published says where a branch is to be seen, once it is: a push may have made
// its site.
func (p *process) published(site, branch string) string {
	if err := p.refresh(context.Background()); err != nil {
		p.log.Error("configuration cannot be read", "err", err)
	}
	return p.url(site, branch)
}

// watchConfig keeps the sites as the branch config has them, whoever changes it.
func (p *process) watchConfig(ctx context.Context) error {
	defer p.follow.wait()
	for _, err := range p.house.repo.Branch("config").Watch(ctx) {
		if err == nil {
			err = p.refresh(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Error("configuration cannot be read", "err", err)
		}
		if sites, err := p.house.config.Sites(ctx); err == nil {
			p.follow.set(ctx, sites)
		}
	}
	return nil
}

// refresh tells the web server which sites there are, when that has changed. A
// file that cannot be read is an error, beside the others that can.
func (p *process) refresh(ctx context.Context) error {
	sites, err := p.house.config.Sites(ctx)
	if err != nil && len(sites) == 0 && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Equal(sites, p.served) { // the same records: nobody changes one
		return err
	}
	p.served = sites
	list := make([]unipi.SiteConfig, len(sites))
	for i, s := range sites {
		list[i] = unipi.SiteConfig{Name: s.Name, Hosts: p.hosts(s), Guards: p.guards(s)}
	}
	p.sites.Set(list)
	return err
}

// hosts are the names of a site. On a network of its own the first site is also
// what the machine's addresses show.
func (p *process) hosts(s *config.Site) []string {
	if s.Name != firstSite {
		return s.Hosts
	}
	hosts := slices.Clone(s.Hosts)
	for _, a := range p.env.Addrs {
		hosts = append(hosts, urlHost(a))
	}
	return hosts
}

// guards are the log-ins that a site asks for.
func (p *process) guards(s *config.Site) []unipi.Guard {
	var list []unipi.Guard
	guard := func(path string, may func(*accounts.User) bool) {
		list = append(list, unipi.Guard{Path: path, Realm: s.Name,
			Check: func(ctx context.Context, from netip.Addr, user, password string) (bool, time.Duration, error) {
				u, err := p.house.accounts.Authenticate(ctx, user, password, from)
				if rate, ok := errors.AsType[*accounts.RateError](err); ok {
					return false, rate.After, nil
				}
				if errors.Is(err, accounts.ErrBadCredentials) {
					return false, 0, nil
				}
				return err == nil && may(u), 0, err
			}})
	}
	if s.Private {
		guard("/", func(u *accounts.User) bool { return u.Admin || s.MayRead(u.Name) })
	}
	for path, users := range s.Protect {
		guard(path, func(u *accounts.User) bool {
			return slices.Contains(users, config.Everyone) || slices.Contains(users, u.Name)
		})
	}
	return list
}
