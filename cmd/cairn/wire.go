package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/monitor"
	"cairn/services/unipi"
)

// newProcess opens the listeners and wires the services to them and to the
// house. Nothing runs yet.
func newProcess(ctx context.Context, env libos.Env, h *house, watch *monitor.Monitor) (*process, error) {
	p := &process{env: env, house: h, log: env.Log, access: &unipi.AccessLog{W: env.Err}}
	hook, err := newRemoteHook(env.Args, h.remote)
	if err != nil {
		return nil, err
	}
	if err := p.openTLS(ctx); err != nil {
		return nil, err
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.follow = &followers{house: h, log: env.Log, out: outbound(env).Transport(), running: map[string]*following{}}
	p.backup = &mirrors{house: h, net: env.Net, log: env.Log, running: map[config.Backup]*mirroring{}}
	h.told = append(h.told, watch.Committed, p.backup.committed)
	watch.Check("backup", p.backup.wrong)
	p.sites = &unipi.Sites{
		Repo:     h.repo,
		Base:     env.Args.String("domain"),
		Loopback: p.web.Loopback(),
		Default:  firstSite,
		First:    p.firstPage,
		Webhook:  &unipi.Webhook{Secret: hook.secret(p.webhookSecret), Pushed: hook.pushed(p.follow.wake)},
		Access:   p.access,
		Log:      env.Log,
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
		Log:      env.Log,
	}
	ssh, err := p.wire.SSH(ctx)
	if err != nil {
		return nil, err
	}
	wire := p.wire.HTTP()
	if setup.Loopback(p.git) {
		wire = onlyLocalNames(withHealth(watch, wire))
	}
	metrics, err := setup.ServeMetrics(ctx, env, watch)
	p.servers = []func(context.Context) error{
		func(ctx context.Context) error { return p.web.Serve(ctx, p.sites) },
		func(ctx context.Context) error { return p.tls.Serve(ctx, p.git, wire, env) },
		func(ctx context.Context) error { return ssh.Serve(ctx, p.ssh) },
		p.tls.Run,
		p.watchConfig,
		metrics,
	}
	return p, err
}

// listen opens the ports.
func (p *process) listen(ctx context.Context) (err error) {
	if p.web, err = setup.ListenWeb(ctx, p.env, "http", p.tls); err != nil {
		return err
	}
	if p.git, err = p.env.Listen(ctx, "git"); err != nil {
		return err
	}
	p.ssh, err = p.env.Listen(ctx, "ssh")
	return err
}

// openTLS gets certificates ready.
func (p *process) openTLS(ctx context.Context) error {
	sites, err := p.house.config.Sites(ctx)
	if err != nil && len(sites) == 0 && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o := setup.TLSOptions{
		Seed:    &p.house.seed,
		Secrets: p.house.secrets,
		Names:   p.names(sites),
		Local:   setup.LocalNames(p.env),
		Plain:   p.env.Listens("https"),
	}
	if p.house.remote != nil {
		o.Settle = p.house.remote.Settle()
	}
	p.tls, err = setup.OpenTLS(ctx, p.env, o)
	return err
}

// names are the host names that lead here.
func (p *process) names(sites []*config.Site) []string {
	var names []string
	domain := p.env.Args.String("domain")
	if domain != "" {
		names = append(names, domain, "*."+domain)
	}
	for _, s := range sites {
		if domain != "" {
			names = append(names, s.Name+"."+domain)
		}
		names = append(names, s.Hosts...)
	}
	return names
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
	defer p.backup.wait()
	for _, err := range p.house.repo.Branch("config").Watch(ctx) {
		if p.house.remote != nil {
			p.house.remote.Reconsider() // which previews may be rewritten is a setting
		}
		if err == nil {
			err = p.refresh(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Error("configuration cannot be read", "err", err)
		}
		if sites, err := p.house.config.Sites(ctx); err == nil {
			p.follow.set(ctx, sites)
		}
		if backups, err := p.house.config.Backups(ctx); err == nil {
			p.backup.set(ctx, backups)
		} else if ctx.Err() == nil {
			p.log.Error("backups cannot be read", "err", err)
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
	if p.tls != nil {
		err = errors.Join(err, p.tls.SetNames(p.names(sites)))
	}
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
		hosts = append(hosts, setup.URLHost(a))
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

// withHealth tells those at this machine how the process is doing, beside git's
// paths: no repository is called healthz/….
func withHealth(health, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			health.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
