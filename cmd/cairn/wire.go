package main

import (
	"context"
	"fmt"

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/cmd/setup/strict"
	"cairn/libos"
	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/monitor"
	"cairn/services/unipi"
)

// newProcess opens the listeners and wires the services to them and to the
// house. Nothing runs yet.
func newProcess(ctx context.Context, env libos.Env, h *house, watch *monitor.Monitor) (*process, error) {
	p := &process{env: env, house: h, log: env.Log, access: &unipi.AccessLog{W: env.Err}}
	hook, err := newRemoteHook(env, h.remote)
	if err != nil {
		return nil, err
	}
	if err := p.openTLS(ctx); err != nil {
		return nil, err
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.follow = &followers{house: h, log: env.Log, out: setup.Outbound(env).Transport(), running: map[string]*following{}}
	p.backup = &mirrors{house: h, net: env.Net, log: env.Log, running: map[string]*mirroring{}}
	h.told = append(h.told, watch.Committed, p.backup.committed, p.mailCommitted)
	watch.Check("backup", p.backup.wrong)
	watch.Gauge("backup_behind_seconds", "For how long the backup that is behind most has been; 0 when none is.",
		func() float64 { return p.backup.behind().Seconds() })
	setup.Cache(watch, h.repo)
	p.sites = &unipi.Sites{
		Repo:     h.repo,
		Base:     env.Args.String("domain"),
		Loopback: p.web.Loopback(),
		Default:  firstSite,
		First:    p.firstPage,
		Webhook:  &unipi.Webhook{Secret: hook.secret(p.webhookSecret), Pushed: hook.pushed(p.follow.wake)},
		Known:    p.wellKnown(),
		Cache:    &unipi.Cache{Bytes: env.Share(128<<20, 10)},
		Access:   p.access,
		Log:      env.Log,
	}
	if err := p.openMail(ctx); err != nil {
		return nil, err
	}
	if err := p.refresh(ctx); err != nil {
		return nil, err
	}
	return p, p.addServers(ctx, watch)
}

// addServers wires what listens.
func (p *process) addServers(ctx context.Context, watch *monitor.Monitor) error {
	p.wire = &gitservice.Service{
		Repo:     p.house.repo,
		Accounts: p.house.accounts,
		Config:   p.house.config,
		Secrets:  p.house.secrets,
		Checks:   map[string]gitservice.Check{gitservice.Site: p.checkSite, gitservice.Dav: p.checkDav, gitservice.Mail: p.checkMail, gitservice.Queue: p.checkQueue},
		URL:      p.published,
		Log:      p.log,
	}
	ssh, err := p.wire.SSH(ctx)
	if err != nil {
		return err
	}
	wire := p.wire.HTTP()
	if setup.Loopback(p.git) {
		wire = setup.OnlyLocalNames(withHealth(watch, wire))
	}
	d := p.newDav(watch)
	p.mail.Receive = d.Receive
	people, err := d.Handler()
	if err != nil {
		return err
	}
	metrics, url, err := setup.ServeMetrics(ctx, p.env, watch)
	p.metrics = url
	serve := strict.Server(p.env, nil)
	p.servers = []func(context.Context) error{
		func(ctx context.Context) error {
			return p.web.Serve(ctx, p.sites, strict.Server(p.env, p.davHosts(people)))
		},
		func(ctx context.Context) error { return serve(ctx, p.tls.ServerConfig(), p.git, wire, p.log) },
		func(ctx context.Context) error { return ssh.Serve(ctx, p.ssh) },
		func(ctx context.Context) error {
			return serve(ctx, p.tls.ServerConfig(), p.dav, dav.Guard(people, setup.Loopback(p.dav)), p.log)
		},
		p.tls.Run,
		d.Run,
		p.mail.Run,
		p.watchConfig,
		metrics,
	}
	return err
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
