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
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitdir"
)

func main() { boot.Main(manifest, run) }

var manifest = libos.Manifest{
	Name:  "unipi",
	About: "Serves the websites of one git repository: each site www on the branches site/www/main, which is live, and site/www/OTHER, which are previews.",
	State: &libos.Folder{Name: "repo", Help: "The bare git repository that holds the sites.", Required: true},
	Ports: []libos.Port{{Name: "listen", Host: "127.0.0.1:8080", Own: ":80", Help: "Where the sites are served; port 0 takes a free one."}},
	Args: []libos.Arg{
		{Name: "base", Value: "DOMAIN", Help: "A domain below which each site and preview has a name."},
		{Name: "site", Value: "NAME", Default: "www", Help: "The site that localhost shows, or the address on a network of its own."},
		{Name: "host", Kind: libos.Repeated, Value: "SITE=HOST", Help: "A name of its own for a site, such as www=example.org."},
		{Name: "tls-cert", Value: "FILE", Needs: "tls-key", Help: "Serve over TLS with this certificate chain (PEM)."},
		{Name: "tls-key", Value: "FILE", Needs: "tls-cert", Help: "And its key."},
		{Name: "log", Value: "FILE", Default: "-", Help: "Where to write a line a request; - is standard output, empty nowhere."},
	},
}

func run(ctx context.Context, env libos.Env) (err error) {
	hosts, err := parseHosts(env.Args.Strings("host"))
	if err != nil {
		return err
	}
	// A site's working set is small and its garbage short-lived: collecting when
	// the heap is five times what is live, rather than twice, costs a few MiB.
	debug.SetGCPercent(400)

	dir, err := gitdir.Open(env.State, gitdir.Options{NoMaintenance: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	access, closeLog, err := openLog(env.Args.String("log"), env.Out)
	if err != nil {
		return err
	}
	defer closeLog()
	s := &server{env: env, hosts: hosts, access: access}
	if err := s.open(ctx, store.New(dir, store.Options{})); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "unipi: serving %s on %s\n", env.State, env.Address(s.listener))
	return s.serve(ctx)
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

// certificate reads the one that was given, nil for none.
func certificate(args libos.Args) (*tls.Config, error) {
	if !args.Given("tls-cert") {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(args.String("tls-cert"), args.String("tls-key"))
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}
