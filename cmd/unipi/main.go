// Unipi serves the websites of one git repository, and does nothing else. Each
// site www lies on the branches site/www/main, which is live, and
// site/www/<other>, which are previews.
//
//	unipi -repo sites.git -listen :8080 -base sites.example.org
//	unipi -repo sites.git -listen :443 -cert cert.pem -key key.pem -host www=example.org
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitdir"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "unipi:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	repo, listen, base, site string
	cert, key, accessLog     string
	hosts                    hostFlags
}

// hostFlags are the site=host pairs of -host.
type hostFlags map[string][]string

func (h hostFlags) String() string { return "" }

func (h hostFlags) Set(pair string) error {
	site, host, ok := strings.Cut(pair, "=")
	if !ok || site == "" || host == "" {
		return fmt.Errorf("expected SITE=HOST, such as www=example.org")
	}
	h[site] = append(h[site], host)
	return nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{hosts: hostFlags{}}
	f := flag.NewFlagSet("unipi", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.repo, "repo", "", "bare git `DIR` that holds the sites (required)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`ADDRESS` to listen on")
	f.StringVar(&o.base, "base", "", "`DOMAIN` below which each site and preview has a name")
	f.StringVar(&o.site, "site", "www", "`NAME` of the site that localhost shows")
	f.StringVar(&o.cert, "cert", "", "certificate `FILE`, for https")
	f.StringVar(&o.key, "key", "", "private key `FILE`, for https")
	f.StringVar(&o.accessLog, "log", "-", "`FILE` for a line a request; - is standard output, empty is none")
	f.Var(o.hosts, "host", "`SITE=HOST`, a name of its own for a site; may be repeated")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.repo == "" || f.NArg() > 0:
		f.Usage()
		return o, fmt.Errorf("-repo DIR is required, and nothing but flags")
	case (o.cert == "") != (o.key == ""):
		return o, fmt.Errorf("-cert and -key go together")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	// A site's working set is small and its garbage short-lived: collecting when
	// the heap is five times what is live, rather than twice, costs a few MiB.
	debug.SetGCPercent(400)

	dir, err := gitdir.Open(o.repo, gitdir.Options{NoMaintenance: true})
	if err != nil {
		return err
	}
	defer dir.Close()
	access, closeLog, err := openLog(o.accessLog, stdout)
	if err != nil {
		return err
	}
	defer closeLog()
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	sites := &unipi.Sites{
		Repo:     store.New(dir, store.Options{}),
		Base:     o.base,
		Loopback: loopback(l.Addr()),
		Default:  o.site,
		Access:   access,
		Log:      slog.New(slog.NewTextHandler(stderr, nil)),
	}
	if sites.Loopback {
		sites.First = func(site string) *unipi.FirstPage { return firstPage(o.repo, site, l.Addr()) }
	}
	known, err := setSites(ctx, sites, o.site, o.hosts, nil)
	if err != nil {
		return err
	}
	server := &unipi.Server{Handler: sites, Log: sites.Log}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return err
		}
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	fmt.Fprintf(stderr, "unipi: serving %s on %s\n", o.repo, l.Addr())
	return serve(ctx, server, l, sites, o, known)
}

// serve serves until ctx ends, and lets requests finish then. Sites that
// appear in the repository meanwhile are served too.
func serve(ctx context.Context, server *unipi.Server, l net.Listener, sites *unipi.Sites, o options, known []string) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-failed:
			return err
		case <-tick.C:
			now, err := setSites(ctx, sites, o.site, o.hosts, known)
			if err == nil {
				known = now
			} else if ctx.Err() == nil {
				sites.Log.Warn("sites could not be listed", "err", err)
			}
		case <-ctx.Done():
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := server.Shutdown(limited); err != nil {
				server.Close()
			}
			return <-failed
		}
	}
}

// firstPage says how to fill a site. Only people at this machine see it.
func firstPage(repo, site string, addr net.Addr) *unipi.FirstPage {
	dir, err := filepath.Abs(repo)
	if err != nil {
		dir = repo
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil
	}
	return &unipi.FirstPage{
		Address: "http://" + site + ".localhost:" + port + "/",
		Steps:   []string{"git push " + dir + " HEAD:refs/heads/site/" + site + "/main"},
	}
}

// setSites tells sites what the repository holds, every site/<name>/… and the
// one that localhost shows, if that is not known already.
func setSites(ctx context.Context, sites *unipi.Sites, first string, hosts hostFlags, known []string) ([]string, error) {
	names := []string{first}
	for b, err := range sites.Repo.Branches(ctx, "site/") {
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(b.Name(), "site/"), "/")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if known != nil && slices.Equal(names, known) {
		return known, nil
	}
	var list []unipi.SiteConfig
	for _, name := range names {
		list = append(list, unipi.SiteConfig{Name: name, Hosts: hosts[name]})
	}
	sites.Set(list)
	return names, nil
}

func loopback(a net.Addr) bool {
	ip, err := netip.ParseAddrPort(a.String())
	return err == nil && ip.Addr().IsLoopback()
}

func openLog(name string, stdout io.Writer) (*unipi.AccessLog, func(), error) {
	switch name {
	case "":
		return nil, func() {}, nil
	case "-":
		access := &unipi.AccessLog{W: stdout}
		return access, access.Flush, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, nil, err
	}
	access := &unipi.AccessLog{W: f}
	return access, func() { access.Flush(); f.Close() }, nil
}
