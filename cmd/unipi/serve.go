package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cairn/cmd/setup"
	"cairn/cmd/setup/strict"
	"cairn/libos"
	"cairn/services/monitor"
	"cairn/services/secrets"
	"cairn/services/unipi"
	"cairn/store"
)

// A server serves the sites that a repository holds, also those that appear
// meanwhile.
type server struct {
	env    libos.Env
	hosts  map[string][]string // of sites
	access *unipi.AccessLog
	page   *monitor.Monitor // of metrics and health

	seed   *setup.Seed // nil: none
	from   string      // which repository, for people
	repo   *store.Repo
	remote *setup.Remote // nil: the repository is here
	close  func() error

	tls   *setup.TLS // nil: none
	web   *setup.Web
	sites *unipi.Sites
	known []string // the sites that sites was told of
}

func (s *server) open(ctx context.Context) (err error) {
	if err := s.openTLS(ctx); err != nil {
		return err
	}
	if s.web, err = setup.ListenWeb(ctx, s.env, "listen", s.tls); err != nil {
		return err
	}
	s.sites = &unipi.Sites{
		Repo:     s.repo,
		Base:     s.env.Args.String("base"),
		Loopback: s.web.Loopback(),
		Default:  s.first(),
		Cache:    &unipi.Cache{Bytes: s.env.Share(128<<20, 8), Sending: s.env.Share(64<<20, 4)},
		Access:   s.access,
		Log:      s.env.Log,
	}
	if s.sites.Loopback && s.remote == nil {
		s.sites.First = s.firstPage
	}
	s.hosts[s.first()] = append(s.hosts[s.first()], setup.OwnHosts(s.env)...)
	return s.list(ctx)
}

// openTLS gets certificates ready.
func (s *server) openTLS(ctx context.Context) (err error) {
	o := setup.TLSOptions{Seed: s.seed, Local: setup.LocalNames(s.env), Plain: s.env.Listens("https")}
	if s.seed != nil {
		if o.Secrets, err = secrets.Open(s.repo.Branch("secrets"), *s.seed); err != nil {
			return err
		}
		if err := setup.CheckSeed(ctx, o.Secrets); err != nil {
			return err
		}
	}
	if base := s.env.Args.String("base"); base != "" {
		o.Names = append(o.Names, base, s.first()+"."+base, "*."+base)
	}
	for _, hosts := range s.hosts {
		o.Names = append(o.Names, hosts...)
	}
	if s.remote != nil {
		o.Settle = s.remote.Settle()
	}
	s.tls, err = setup.OpenTLS(ctx, s.env, o)
	return err
}

// first is the site that is shown where no name says which.
func (s *server) first() string { return s.env.Args.String("site") }

// serve serves until ctx ends, and lets requests finish then.
func (s *server) serve(ctx context.Context) error {
	metrics, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	return setup.Together(ctx,
		func(ctx context.Context) error { return s.web.Serve(ctx, s.sites, strict.Server(s.env, nil)) },
		s.tls.Run,
		s.watch,
		metrics,
	)
}

// metrics opens the page of metrics and health, if there is to be one.
func (s *server) metrics(ctx context.Context) (func(context.Context) error, error) {
	setup.Cache(s.page, s.repo)
	if s.remote != nil {
		s.remote.Monitor(s.page)
	}
	serve, _, err := setup.ServeMetrics(ctx, s.env, s.page)
	return serve, err
}

// watch looks for new sites until ctx ends.
func (s *server) watch(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.list(ctx); err != nil && ctx.Err() == nil {
				s.env.Log.Warn("sites could not be listed", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// list tells sites what the repository holds, every site/<name>/… and the
// first, if that has changed.
func (s *server) list(ctx context.Context) error {
	names := []string{s.first()}
	for b, err := range s.sites.Repo.Branches(ctx, "site/") {
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(b.Name(), "site/"), "/")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if slices.Equal(names, s.known) {
		return nil
	}
	var list []unipi.SiteConfig
	for _, name := range names {
		list = append(list, unipi.SiteConfig{Name: name, Hosts: s.hosts[name]})
	}
	s.sites.Set(list)
	s.known = names
	return nil
}

// firstPage says how to fill a site. Only people at this machine see it.
func (s *server) firstPage(site string) *unipi.FirstPage {
	dir, err := filepath.Abs(s.env.State)
	if err != nil {
		dir = s.env.State
	}
	return &unipi.FirstPage{
		Address: s.web.URL(site + ".localhost"),
		Steps:   []string{"git push " + dir + " HEAD:refs/heads/site/" + site + "/main"},
	}
}
