// Mail serves the mail of one repository, and does nothing else. Who may log in is on the branch accounts; what
// alice has, on the branch mail/alice; which domains are served, on the branch config.
//
//	mail --home DIR
//	mail --home DIR --smtp :25 --submissions :465 --imaps :993 --web :80 --https :443 --acme
//	mail --remote https://forge.example/me/house.git --seed-file seed --tls seed --net tap0 --ipv4 192.0.2.7/24
//
// A home that is not there is made, with one user, owner. More are added by cairn --home DIR user add, domains by
// cairn --home DIR domain add, also while mail runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cairn/cmd/setup"
	"cairn/cmd/setup/alone"
	"cairn/cmd/setup/mail"
	"cairn/libos"
	"cairn/libos/boot"
)

func main() { boot.Main(manifest, run) }

var manifest = libos.Manifest{
	Name:  "mail",
	About: "Serves mail that lies in a git repository: of each user on the branch mail/USER. The first time it makes the home.",
	State: alone.State,
	Ports: slices.Concat([]libos.Port{
		{Name: "web", Own: ":80", Help: "Where mail programs find out how to reach their mail, and other servers the policy of the domain."},
		setup.HTTPS,
		setup.Metrics,
	}, mail.Ports),
	Peers: slices.Concat([]libos.Peer{{Address: "*", Why: "mail goes to whom people name"}, setup.RemotePeer}, setup.TLSPeers),
	Args:  slices.Concat([]libos.Arg{setup.AllowPrivate}, setup.TLSArgs, setup.RemoteArgs, setup.SeedArgs),
}

// cacheBytes is for trees and files of the repository: mailboxes remember for themselves what
// they have made of them.
const cacheBytes = 16 << 20

func run(ctx context.Context, env libos.Env) (err error) {
	if err := setup.MayLogin(env); err != nil {
		return err
	}
	setup.BoundHeap(ctx)
	house, err := alone.Open(ctx, env, cacheBytes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.Close()) }()
	tls, err := house.TLS(ctx, mail.Names(ctx, house.Config))
	if err != nil {
		return err
	}
	m, err := mail.Open(ctx, mail.Parts{
		Env: env, Repo: house.Repo, Accounts: house.Accounts, Config: house.Config, Secrets: house.Secrets,
		TLS: tls, Sole: house.Remote == nil,
	})
	if err != nil {
		return err
	}
	servers, err := beside(ctx, house, m, tls)
	if err != nil {
		return errors.Join(err, m.Close())
	}
	fmt.Fprintf(env.Err, "mail: serving %s on %s\n", house.From, told(m.Addresses()))
	house.Tell()
	tls.Tell(env.Err)
	return setup.Together(ctx, append(servers, m.Run, tls.Run)...)
}

// beside are what is served beside mail: the web, where there is a port for it, and metrics.
func beside(ctx context.Context, house *alone.House, m *mail.Mail, tls *setup.TLS) ([]func(context.Context) error, error) {
	setup.Cache(house.Page, house.Repo)
	if house.Remote != nil {
		house.Remote.Monitor(house.Page)
	}
	metrics, _, err := setup.ServeMetrics(ctx, house.Env, house.Page)
	if err != nil {
		return nil, err
	}
	servers := []func(context.Context) error{metrics}
	if !house.Env.Listens("web") {
		return servers, nil
	}
	web, err := setup.ListenWeb(ctx, house.Env, "web", tls)
	if err != nil {
		return nil, err
	}
	settings := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := m.Also(r); h != nil {
			h.ServeHTTP(w, r)
			return
		}
		http.Error(w, "Here mail programs find their servers, and nothing else is to be seen.", http.StatusNotFound)
	})
	return append(servers, func(ctx context.Context) error { return web.Serve(ctx, settings, setup.ServeHTTP) }), nil
}

// told are the ports in words.
func told(addresses map[string]string) string {
	var list []string
	for name, at := range addresses {
		list = append(list, name+" "+at)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
