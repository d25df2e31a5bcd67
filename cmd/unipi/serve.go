package main

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cairn/libos"
	"cairn/services/unipi"
	"cairn/store"
)

// A server serves the sites that a repository holds, also those that appear
// meanwhile.
type server struct {
	env      libos.Env
	hosts    map[string][]string // of sites
	access   *unipi.AccessLog
	listener net.Listener
	sites    *unipi.Sites
	web      *unipi.Server
	known    []string // the sites that sites was told of
}

func (s *server) open(ctx context.Context, repo *store.Repo) (err error) {
	config, err := certificate(s.env.Args)
	if err != nil {
		return err
	}
	if s.listener, err = s.env.Listen(ctx, "listen"); err != nil {
		return err
	}
	s.sites = &unipi.Sites{
		Repo:     repo,
		Base:     s.env.Args.String("base"),
		Loopback: loopback(s.listener.Addr()),
		Default:  s.first(),
		Access:   s.access,
		Log:      s.env.Log,
	}
	if s.sites.Loopback {
		s.sites.First = s.firstPage
	}
	for _, a := range s.env.Addrs {
		s.hosts[s.first()] = append(s.hosts[s.first()], hostOf(a))
	}
	s.web = &unipi.Server{Handler: s.sites, TLS: config, Log: s.env.Log}
	return s.list(ctx)
}

// first is the site that is shown where no name says which.
func (s *server) first() string { return s.env.Args.String("site") }

// serve serves until ctx ends, and lets requests finish then.
func (s *server) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.web.Serve(s.listener) }()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-failed:
			return err
		case <-tick.C:
			if err := s.list(ctx); err != nil && ctx.Err() == nil {
				s.env.Log.Warn("sites could not be listed", "err", err)
			}
		case <-ctx.Done():
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := s.web.Shutdown(limited); err != nil {
				s.web.Close()
			}
			return <-failed
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
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return nil
	}
	return &unipi.FirstPage{
		Address: "http://" + site + ".localhost:" + port + "/",
		Steps:   []string{"git push " + dir + " HEAD:refs/heads/site/" + site + "/main"},
	}
}

// hostOf is an address as it stands in a URL.
func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

func loopback(a net.Addr) bool {
	ip, err := netip.ParseAddrPort(a.String())
	return err == nil && ip.Addr().IsLoopback()
}
