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
	"io/fs"
	"os"
	"slices"
	_ "time/tzdata" // where there is no file system there are no time zones

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/accounts"
	"cairn/services/caldav/ical"
	"cairn/services/config"
	"cairn/services/monitor"
	"cairn/store/gitdir"
	"cairn/store/object"
)

func main() { boot.Main(manifest, run, ical.LoadZones) }

var manifest = libos.Manifest{
	Name:  "caldav",
	About: "Serves calendars and contacts that lie in a git repository: of each user on the branch dav/USER. The first time it makes the home.",
	State: &libos.Folder{Name: "home", Env: "CAIRN_HOME", Help: "Where everything is kept; with --remote, copies of what is kept there."},
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

// firstUser is whom the first run lets log in.
const firstUser = "owner"

// software is who makes the first commits.
var software = object.Signature{Name: "Cairn", Email: "cairn@localhost"}

func run(ctx context.Context, env libos.Env) (err error) {
	if err := setup.MayLogin(env); err != nil {
		return err
	}
	setup.BoundHeap(ctx)
	s := &server{env: env, page: monitor.New(), close: func() error { return nil }}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.openHouse(ctx); err != nil {
		return err
	}
	password, err := s.furnish(ctx)
	if err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "caldav: serving %s on %s\n", s.from, s.base())
	if password != "" {
		fmt.Fprintf(env.Err, "Password  %s (user %s; shown this once)\n", password, firstUser)
	}
	s.tls.Tell(env.Err)
	return s.serve(ctx)
}

// furnish writes the format, the seed's marker and the first user where they are absent. The password is
// firstUser's, "" when there are users already.
func (s *server) furnish(ctx context.Context) (password string, err error) {
	if err := setup.CheckSeed(ctx, s.secrets); err != nil {
		return "", err
	}
	if err := config.Open(s.repo.Branch("config")).Init(ctx, software); err != nil {
		return "", err
	}
	users, err := s.accounts.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	if err := setup.MarkSeed(ctx, s.secrets, software); err != nil {
		return "", err
	}
	password = accounts.GeneratePassword()
	return password, s.accounts.Add(ctx, software, firstUser, password, true)
}

// openHouse opens the repository, here or somewhere else.
func (s *server) openHouse(ctx context.Context) error {
	seed, have, err := setup.SeedGiven(s.env)
	if err != nil {
		return err
	}
	if s.env.Args.Given("remote") {
		return s.openAway(ctx, seed, have)
	}
	home, err := setup.KeepDir(s.env)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	release, err := setup.LockHome(home)
	if err != nil {
		return fmt.Errorf("%s: %w", home, err)
	}
	s.close = func() error {
		release()
		return nil
	}
	if seed, err = homeSeed(home, seed, have); err != nil {
		return err
	}
	repo := setup.Repository(home)
	if _, err := os.Stat(repo); errors.Is(err, fs.ErrNotExist) {
		if err := gitdir.Init(repo); err != nil {
			return fmt.Errorf("make %s: %w", repo, err)
		}
	}
	dir, err := gitdir.Open(repo, gitdir.Options{Log: s.env.Log})
	if err != nil {
		return err
	}
	s.close = func() error {
		defer release()
		return dir.Close()
	}
	s.from = home
	return s.wire(dir, seed)
}

// homeSeed is the seed of a home; it is made there if there is none.
func homeSeed(home string, given setup.Seed, have bool) (setup.Seed, error) {
	kept, err := setup.ReadSeed(home)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !have {
			given = setup.NewSeed()
		}
		return given, setup.KeepSeed(home, given)
	case err == nil && have && given != kept:
		return kept, fmt.Errorf("%s is another seed than the one that was given: name another folder with --home", setup.SeedPath(home))
	}
	return kept, err
}

// openAway opens the repository of --remote.
func (s *server) openAway(ctx context.Context, seed setup.Seed, have bool) (err error) {
	if !have {
		return errors.New("--remote goes with the seed of the Cairn that is there: --seed-file FILE or CAIRN_SEED; `cairn up --remote URL` makes one")
	}
	key, err := setup.SigningKey(seed)
	if err != nil {
		return err
	}
	s.remote, err = setup.OpenRemote(ctx, s.env, setup.RemoteOptions{Seed: &seed, Folder: s.env.State, Own: key.PublicKey(), Observe: setup.Observer(s.page)})
	if err != nil {
		return err
	}
	s.close, s.from = s.remote.Close, s.remote.String()
	return s.wire(s.remote.Guarded(), seed)
}
