package main

import (
	"context"
	"strings"

	"cairn/cmd/setup"
	"cairn/cmd/setup/alone"
	"cairn/cmd/setup/dav"
	"cairn/services/caldav/shelf"
)

// A server serves the calendars and contacts that a repository holds.
type server struct {
	*alone.House
	shelf *shelf.Shelf
	tls   *setup.TLS // nil: none
	web   *setup.Web
}

// cacheBytes is for trees and files of the repository: the shelf remembers for itself what
// it has made of them.
const cacheBytes = 16 << 20

// open gets the shelf, certificates and ports ready.
func (s *server) open(ctx context.Context) (err error) {
	if s.shelf, err = dav.OpenShelf(s.Env, s.Repo, s.Accounts, s.Secrets); err != nil {
		return err
	}
	if s.tls, err = s.TLS(ctx, s.Env.Args.Strings("domain")); err != nil {
		return err
	}
	s.web, err = setup.ListenWeb(ctx, s.Env, "listen", s.tls)
	return err
}

// base is the URL under which devices reach it, without a slash at its end.
func (s *server) base() string {
	if names := s.Env.Args.Strings("domain"); len(names) > 0 {
		return strings.TrimSuffix(s.web.URL(names[0]), "/")
	}
	return s.web.Scheme() + s.Env.Address(s.web)
}

// davBase is base for devices, "" where this machine may have any address: then it is the
// one that somebody came by.
func (s *server) davBase() string {
	if len(s.Env.Args.Strings("domain")) == 0 && setup.Everywhere(s.Env, s.web) {
		return ""
	}
	return s.base()
}

// serve serves until ctx ends, and lets requests finish then.
func (s *server) serve(ctx context.Context) error {
	d := &dav.Dav{Shelf: s.shelf, Accounts: s.Accounts, Secrets: s.Secrets, Base: s.davBase(), TLS: s.tls != nil, Client: setup.Outbound(s.Env).Client(), Watch: s.Page, Log: s.Env.Log}
	people, err := d.Handler()
	if err != nil {
		return err
	}
	setup.Cache(s.Page, s.Repo)
	if s.Remote != nil {
		s.Remote.Monitor(s.Page)
	}
	metrics, _, err := setup.ServeMetrics(ctx, s.Env, s.Page)
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
