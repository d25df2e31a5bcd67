package main

import (
	"context"
	"strings"

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/caldav/shelf"
	"cairn/services/monitor"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/observe"
	"cairn/store/sign"
)

// A server serves the calendars and contacts that a repository holds.
type server struct {
	env  libos.Env
	page *monitor.Monitor // of metrics and health

	from     string // which repository, for people
	seed     setup.Seed
	repo     *store.Repo
	remote   *setup.Remote // nil: the repository is here
	accounts *accounts.Accounts
	secrets  *secrets.Secrets
	shelf    *shelf.Shelf
	close    func() error

	tls *setup.TLS // nil: none
	web *setup.Web
}

// cacheBytes is for trees and files of the repository: the shelf remembers for itself what
// it has made of them.
const cacheBytes = 16 << 20

// wire finds its way in a repository.
func (s *server) wire(b observe.Backend, seed setup.Seed) error {
	key, err := setup.SigningKey(seed)
	if err != nil {
		return err
	}
	s.seed = seed
	s.repo = store.New(observe.New(b, s.page.Committed), store.Options{Signer: sign.SSH(key), CacheBytes: s.env.Share(cacheBytes, 12)})
	s.accounts = accounts.New(s.repo.Branch("accounts"))
	if s.secrets, err = secrets.Open(s.repo.Branch("secrets"), seed); err != nil {
		return err
	}
	s.shelf, err = dav.OpenShelf(s.env, s.repo, s.accounts, s.secrets)
	return err
}

// open gets certificates and ports ready.
func (s *server) open(ctx context.Context) (err error) {
	o := setup.TLSOptions{
		Seed:    &s.seed,
		Secrets: s.secrets,
		Names:   s.env.Args.Strings("domain"),
		Local:   setup.LocalNames(s.env),
		Plain:   s.env.Listens("https"),
	}
	if s.remote != nil {
		o.Settle = s.remote.Settle()
	}
	if s.tls, err = setup.OpenTLS(ctx, s.env, o); err != nil {
		return err
	}
	s.web, err = setup.ListenWeb(ctx, s.env, "listen", s.tls)
	return err
}

// base is the URL under which devices reach it, without a slash at its end.
func (s *server) base() string {
	if names := s.env.Args.Strings("domain"); len(names) > 0 {
		return strings.TrimSuffix(s.web.URL(names[0]), "/")
	}
	return s.web.Scheme() + s.env.Address(s.web)
}

// davBase is base for devices, "" where this machine may have any address: then it is the
// one that somebody came by.
func (s *server) davBase() string {
	if len(s.env.Args.Strings("domain")) == 0 && setup.Everywhere(s.env, s.web) {
		return ""
	}
	return s.base()
}

// serve serves until ctx ends, and lets requests finish then.
func (s *server) serve(ctx context.Context) error {
	d := &dav.Dav{Shelf: s.shelf, Accounts: s.accounts, Secrets: s.secrets, Base: s.davBase(), TLS: s.tls != nil, Client: setup.Outbound(s.env).Client(), Watch: s.page, Log: s.env.Log}
	people, err := d.Handler()
	if err != nil {
		return err
	}
	setup.Cache(s.page, s.repo)
	if s.remote != nil {
		s.remote.Monitor(s.page)
	}
	metrics, _, err := setup.ServeMetrics(ctx, s.env, s.page)
	if err != nil {
		return err
	}
	return setup.Together(ctx,
		func(ctx context.Context) error {
			return s.web.Serve(ctx, dav.Guard(people, s.web.Loopback()), setup.ServeHTTP)
		},
		s.tls.Run,
		d.Run,
		metrics,
	)
}
