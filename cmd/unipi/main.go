// Unipi serves the websites of one git repository, and does nothing else. Each
// site www lies on the branches site/www/main, which is live, and
// site/www/<other>, which are previews.
//
//	unipi --repo sites.git --listen :8080 --base sites.example.org
//	unipi --repo sites.git --listen :443 --tls-cert cert.pem --tls-key key.pem --host www=example.org
//	unipi --repo sites.git --net tap0 --ipv4 192.0.2.7/24 --gateway 192.0.2.1 --base sites.example.org
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/monitor"
	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitdir"
)

func main() { boot.Main(manifest, run) }

var manifest = libos.Manifest{
	Name:  "unipi",
	About: "Serves the websites of one git repository: each site www on the branches site/www/main, which is live, and site/www/OTHER, which are previews.",
	State: &libos.Folder{Name: "repo", Help: "The bare git repository that holds the sites; with --remote, where to keep copies of what is there."},
	Ports: []libos.Port{
		{Name: "listen", Host: "127.0.0.1:8080", Own: ":80", Help: "Where the sites are served; port 0 takes a free one."},
		setup.HTTPS,
		setup.Metrics,
	},
	Peers: slices.Concat([]libos.Peer{setup.RemotePeer}, setup.TLSPeers),
	Args: slices.Concat([]libos.Arg{
		{Name: "base", Value: "DOMAIN", Help: "A domain below which each site and preview has a name."},
		{Name: "site", Value: "NAME", Default: "www", Help: "The site that localhost shows, or the address on a network of its own."},
		{Name: "host", Kind: libos.Repeated, Value: "SITE=HOST", Help: "A name of its own for a site, such as www=example.org."},
		{Name: "log", Value: "-", Default: "-", Help: "Where to write a line a request: - is standard output, empty nowhere."},
	}, setup.TLSArgs, setup.RemoteArgs, setup.SeedArgs),
}

func run(ctx context.Context, env libos.Env) (err error) {
	hosts, err := parseHosts(env.Args.Strings("host"))
	if err != nil {
		return err
	}
	// A site's working set is small and its garbage short-lived: collecting when
	// the heap is five times what is live, rather than twice, costs a few MiB.
	debug.SetGCPercent(400)

	s := &server{env: env, hosts: hosts, page: monitor.New()}
	if err := s.openRepo(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.access, err = openLog(env); err != nil {
		return err
	}
	if s.access != nil {
		defer s.access.Flush()
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "unipi: serving %s on %s\n", s.from, env.Address(s.web))
	s.tls.Tell(env.Err)
	return s.serve(ctx)
}

// openRepo opens the repository, here or somewhere else.
func (s *server) openRepo(ctx context.Context) error {
	seed, have, err := setup.SeedGiven(s.env)
	if err != nil {
		return err
	}
	if have {
		s.seed = &seed
	}
	options := store.Options{CacheBytes: s.env.Share(64<<20, 10)}
	if s.env.Args.Given("remote") {
		r, err := setup.OpenRemote(ctx, s.env, setup.RemoteOptions{Seed: s.seed, Folder: s.env.State, Observe: setup.Observer(s.page)})
		if err != nil {
			return err
		}
		s.remote, s.repo, s.close, s.from = r, store.New(r, options), r.Close, r.String()
		return nil
	}
	if s.env.State == "" {
		return errors.New("say which repository: --repo DIR, or --remote URL")
	}
	dir, err := gitdir.Open(s.env.State, gitdir.Options{NoMaintenance: true})
	if err != nil {
		return err
	}
	s.repo, s.close, s.from = store.New(dir, options), dir.Close, s.env.State
	return nil
}

// parseHosts reads the SITE=HOST pairs of --host.
func parseHosts(pairs []string) (map[string][]string, error) {
	hosts := map[string][]string{}
	for _, pair := range pairs {
		site, host, ok := strings.Cut(pair, "=")
		if !ok || site == "" || host == "" {
			return nil, fmt.Errorf("--host is SITE=HOST, such as www=example.org, not %q", pair)
		}
		hosts[site] = append(hosts[site], host)
	}
	return hosts, nil
}

// openLog returns where lines about requests go, nil for nowhere.
func openLog(env libos.Env) (*unipi.AccessLog, error) {
	switch name := env.Args.String("log"); name {
	case "":
		return nil, nil
	case "-":
		return &unipi.AccessLog{W: env.Out}, nil
	default:
		return nil, fmt.Errorf("--log is -, which is standard output, or empty for nowhere, not %q: what starts unipi can lead standard output to a file", name)
	}
}
