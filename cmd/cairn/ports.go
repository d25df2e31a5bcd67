package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/cmd/setup/mail"
	"cairn/services/config"
)

// listen opens the ports.
func (p *process) listen(ctx context.Context) (err error) {
	if p.web, err = setup.ListenWeb(ctx, p.env, "http", p.tls); err != nil {
		return err
	}
	if p.git, err = p.env.Listen(ctx, "git"); err != nil {
		return err
	}
	if p.ssh, err = p.env.Listen(ctx, "ssh"); err != nil {
		return err
	}
	p.dav, err = p.env.Listen(ctx, dav.Port.Name)
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
		names = append(names, domain, "*."+domain, davHost(domain))
	}
	for _, s := range sites {
		if domain != "" {
			names = append(names, s.Name+"."+domain)
		}
		names = append(names, s.Hosts...)
	}
	return append(names, mail.Names(context.Background(), p.house.config)...)
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
