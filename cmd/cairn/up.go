package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/unipi"
)

type upCommand struct {
	HTTP string `help:"Where the sites are served; port 0 takes a free one. Default: ${http}, or a free port." name:"http" placeholder:"HOST:PORT"`
	Git  string `help:"Where git pushes and fetches go. Default: ${git}, or a free port." placeholder:"HOST:PORT"`
	SSH  string `help:"The same over SSH. Default: ${ssh}, or a free port." name:"ssh" placeholder:"HOST:PORT"`

	Domain string `help:"A domain whose names lead here: sites are at NAME.DOMAIN, previews at BRANCH--NAME.DOMAIN." placeholder:"DOMAIN"`

	TLSCert string `help:"Serve everything but SSH over TLS with this certificate chain (PEM)." name:"tls-cert" placeholder:"FILE" and:"tls"`
	TLSKey  string `help:"And its key." name:"tls-key" placeholder:"FILE" and:"tls"`

	AllowPrivate bool `help:"Let sites follow remotes at private and loopback addresses."`
}

func (c *upCommand) Run(ctx context.Context, h home, term terminal) error {
	// The heap is small and bounded by the caches: collecting less often costs
	// little memory and leaves more of the processor to requests.
	debug.SetGCPercent(400)
	log := slog.New(slog.NewTextHandler(term.err, nil))
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return err
	}
	unlock, err := lockHome(string(h))
	if errors.Is(err, errRunning) {
		r, readErr := readRunning(string(h))
		return errors.Join(fmt.Errorf("already up at %s (process %d, home %s)", r.HTTP, r.PID, h), readErr)
	}
	if err != nil {
		return err
	}
	defer unlock()
	house, password, err := h.make(ctx, log)
	if err != nil {
		return err
	}
	p, err := c.newProcess(ctx, house, term, log)
	if err == nil {
		err = p.run(ctx, term, password)
	}
	return errors.Join(err, house.close())
}

// A process is a Cairn that is up.
type process struct {
	house          *house
	log            *slog.Logger
	tls            bool
	http, git, ssh net.Listener

	sites  *unipi.Sites
	access *unipi.AccessLog
	wire   *gitservice.Service
	follow *followers

	servers []func(context.Context) error // each runs until its context ends

	mu     sync.Mutex     // guards served, and that sites is set in its order
	served []*config.Site // what sites has been told
}

// run serves until ctx ends.
func (p *process) run(ctx context.Context, term terminal, password string) error {
	dir := string(p.house.dir)
	defer os.Remove(runPath(dir))
	if err := writeRunning(dir, p.addresses()); err != nil {
		return err
	}
	p.greet(term, password)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(p.servers))
	for i, serve := range p.servers {
		wg.Go(func() {
			defer cancel() // when one ends, all do
			if err := serve(ctx); err != nil && ctx.Err() == nil {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	p.access.Flush()
	return errors.Join(errs...)
}

// addresses is what run.json tells.
func (p *process) addresses() running {
	return running{
		PID:  os.Getpid(),
		HTTP: p.scheme() + p.http.Addr().String(),
		Git:  p.scheme() + p.git.Addr().String(),
		SSH:  p.ssh.Addr().String(),
	}
}

func (p *process) scheme() string {
	if p.tls {
		return "https://"
	}
	return "http://"
}

// greet tells the person at the terminal what to do next.
func (p *process) greet(term terminal, password string) {
	fmt.Fprintf(term.out, "Site      %s\n", p.url(firstSite, "main"))
	fmt.Fprintf(term.out, "Push      %s\n", p.pushCommand(firstSite))
	if password != "" {
		fmt.Fprintf(term.out, "Password  %s (user %s; shown this once)\n", password, firstUser)
	}
	fmt.Fprintf(term.out, "Home      %s\n", p.house.dir)
	fmt.Fprintln(term.out, "Ctrl-C stops it.")
}

// pushCommand is what publishes a site, ready to paste.
func (p *process) pushCommand(site string) string {
	return fmt.Sprintf("git push %s%s@%s/%s HEAD:main", p.scheme(), firstUser, friendly(p.git), site)
}

// url is the address of a branch of a site.
func (p *process) url(site, branch string) string {
	_, port, err := net.SplitHostPort(p.http.Addr().String())
	if err != nil {
		return ""
	}
	return p.scheme() + p.host(site, branch) + ":" + port + "/"
}

// host is the name under which a branch of a site is served.
func (p *process) host(site, branch string) string {
	switch {
	case branch != config.Main:
		return p.sites.PreviewHost(site, branch)
	case p.sites.Base != "":
		return site + "." + p.sites.Base
	case site == firstSite:
		return "localhost"
	default:
		return site + ".localhost"
	}
}

// serveHTTP serves l until ctx ends. Requests under way have a moment to finish.
func serveHTTP(ctx context.Context, s *unipi.Server, l net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(grace); err != nil {
		_ = s.Close() // they had their moment
	}
	return <-done
}
