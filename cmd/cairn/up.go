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

	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/config"
	gitservice "cairn/services/git"
	"cairn/services/unipi"
)

// manifest is what `cairn up` needs and can be told.
var manifest = libos.Manifest{
	Name:  "cairn up",
	About: "Starts Cairn: websites served from a git push. The first time it makes the home.",
	State: &libos.Folder{Name: "home", Help: "Where everything is kept.", Env: "CAIRN_HOME"},
	Ports: []libos.Port{
		{Name: "http", Host: "127.0.0.1:8080", Own: ":80", Help: "Where the sites are served; port 0 takes a free one."},
		{Name: "git", Host: "127.0.0.1:8081", Own: ":8081", Help: "Where git pushes and fetches go."},
		{Name: "ssh", Host: "127.0.0.1:8022", Own: ":22", Help: "The same over SSH."},
	},
	Peers: []libos.Peer{{Address: "*", Why: "sites follow remotes that users name"}},
	Args: []libos.Arg{
		{Name: "domain", Help: "A domain whose names lead here: sites are at NAME.DOMAIN, previews at BRANCH--NAME.DOMAIN."},
		{Name: "tls-cert", Value: "FILE", Needs: "tls-key", Help: "Serve everything but SSH over TLS with this certificate chain (PEM)."},
		{Name: "tls-key", Value: "FILE", Needs: "tls-cert", Help: "And its key."},
		{Name: "allow-private", Kind: libos.Bool, Help: "Let sites follow remotes at private and loopback addresses."},
	},
}

// up runs `cairn up` until ctx ends and returns its exit status. home is what was said
// before the command's name, "" for nothing.
func up(ctx context.Context, home string, args []string, term terminal) int {
	if home != "" {
		args = append([]string{"--home", home}, args...)
	}
	return boot.Run(ctx, manifest, args, boot.Terminal{Out: term.out, Err: term.err, Variable: os.Getenv}, start)
}

// start makes what is lacking and serves until ctx ends.
func start(ctx context.Context, env libos.Env) error {
	// The heap is small and bounded by the caches: collecting less often costs
	// little memory and leaves more of the processor to requests.
	debug.SetGCPercent(400)
	h, err := homeDir(env.State)
	if err != nil {
		return err
	}
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
	house, password, err := h.make(ctx, env.Log)
	if err != nil {
		return err
	}
	p, err := newProcess(ctx, env, house)
	if err == nil {
		err = p.run(ctx, password)
	}
	return errors.Join(err, house.close())
}

// A process is a Cairn that is up.
type process struct {
	env            libos.Env
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
func (p *process) run(ctx context.Context, password string) error {
	dir := string(p.house.dir)
	defer os.Remove(runPath(dir))
	if err := writeRunning(dir, p.addresses()); err != nil {
		return err
	}
	p.greet(password)

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
		HTTP: p.scheme() + p.env.Address(p.http),
		Git:  p.scheme() + p.env.Address(p.git),
		SSH:  p.env.Address(p.ssh),
	}
}

func (p *process) scheme() string {
	if p.tls {
		return "https://"
	}
	return "http://"
}

// greet tells the person at the terminal what to do next.
func (p *process) greet(password string) {
	fmt.Fprintf(p.env.Out, "Site      %s\n", p.url(firstSite, "main"))
	fmt.Fprintf(p.env.Out, "Push      %s\n", p.pushCommand(firstSite))
	if password != "" {
		fmt.Fprintf(p.env.Out, "Password  %s (user %s; shown this once)\n", password, firstUser)
	}
	fmt.Fprintf(p.env.Out, "Home      %s\n", p.house.dir)
	fmt.Fprintln(p.env.Out, "Ctrl-C stops it.")
}

// pushCommand is what publishes a site, ready to paste.
func (p *process) pushCommand(site string) string {
	return fmt.Sprintf("git push %s%s@%s/%s HEAD:main", p.scheme(), firstUser, p.friendly(p.git), site)
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
	case site == firstSite && len(p.env.Addrs) > 0:
		return urlHost(p.env.Addrs[0])
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
