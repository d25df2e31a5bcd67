// Caldav serves the calendars and contacts of one repository, and does nothing
// else. Who may log in is on the branch accounts; what alice has, on the branch
// dav/alice.
//
//	caldav --home DIR
//	caldav --home DIR --listen :443 --tls-cert cert.pem --tls-key key.pem
//	caldav --remote https://forge.example/me/house.git --seed-file seed --listen :443 --tls seed
//	caldav --home DIR --net tap0 --ipv4 192.0.2.7/24 --tls seed
//
// A home that is not there is made, with one user, owner. More are added by cairn
// --home DIR user add, also while caldav runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	_ "time/tzdata" // where there is no file system there are no time zones

	"cairn/cmd/setup"
	"cairn/cmd/setup/alone"
	"cairn/cmd/setup/dav"
	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/caldav/ical"
)

func main() { boot.Main(manifest, run, ical.LoadZones) }

var manifest = libos.Manifest{
	Name:  "caldav",
	About: "Serves calendars and contacts that lie in a git repository: of each user on the branch dav/USER. The first time it makes the home.",
	State: alone.State,
	Ports: []libos.Port{
		{Name: "listen", Host: dav.Port.Host, Own: ":80", Help: "Where calendars and contacts are served, off loopback only over TLS; port 0 takes a free one."},
		setup.HTTPS,
		setup.Metrics,
	},
	Peers: slices.Concat([]libos.Peer{{Address: "*", Why: "calendars follow others that users name"}, setup.RemotePeer}, setup.TLSPeers),
	Args: slices.Concat([]libos.Arg{
		{Name: "domain", Kind: libos.Repeated, Value: "NAME", Help: "A host name that leads here, for the certificate."},
		setup.AllowPrivate,
	}, setup.TLSArgs, setup.RemoteArgs, setup.SeedArgs),
}

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
	s := &server{House: house}
	if err := s.open(ctx); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "caldav: serving %s on %s\n", s.From, s.base())
	s.Tell()
	s.tls.Tell(env.Err)
	return s.serve(ctx)
}
