package main

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"cairn/cmd/setup"
	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/unipi"
)

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
	return slices.Concat(s.Hosts, setup.OwnHosts(p.env))
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
