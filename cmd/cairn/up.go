package main

import (
	"context"
	"errors"
	"os"
	"slices"
	_ "time/tzdata" // where there is no file system there are no time zones

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/cmd/setup/mail"
	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/caldav/ical"
	"cairn/services/monitor"
)

// manifest is what `cairn up` needs and can be told.
var manifest = libos.Manifest{
	Name:  "cairn up",
	About: "Starts Cairn: websites served from a git push, calendars and contacts, mail. The first time it makes the home, or furnishes the remote.",
	State: &libos.Folder{Name: "home", Env: "CAIRN_HOME", Help: "Where everything is kept; with --remote, copies of what is kept there."},
	Ports: slices.Concat([]libos.Port{
		{Name: "http", Host: "127.0.0.1:8080", Own: ":80", Help: "Where the sites are served; port 0 takes a free one."},
		setup.HTTPS,
		{Name: "git", Host: "127.0.0.1:8081", Own: ":8081", Help: "Where git pushes and fetches go."},
		{Name: "ssh", Host: "127.0.0.1:8022", Own: ":22", Help: "The same over SSH."},
		dav.Port,
		setup.Metrics,
	}, mail.Ports),
	Peers: []libos.Peer{{Address: "*", Why: "sites and calendars follow what users name, and mail goes to them"}},
	Args: slices.Concat([]libos.Arg{
		{Name: "domain", Help: "A domain whose names lead here: sites are at NAME.DOMAIN, previews at BRANCH--NAME.DOMAIN, calendars and contacts over TLS at dav.DOMAIN."},
		setup.AllowPrivate,
	}, setup.TLSArgs, setup.RemoteArgs, setup.SeedArgs, []libos.Arg{
		{Name: "webhook-secret-file", Kind: libos.File, Needs: "remote", Env: "CAIRN_WEBHOOK_SECRET_FILE", Help: "What the remote's host signs its webhooks with; they are POSTed to a site's address + " + webhookPath + "."},
	}),
}

// up runs `cairn up` until ctx ends and returns its exit status. home is what was said
// before the command's name, "" for nothing.
func up(ctx context.Context, home string, args []string, term terminal) int {
	if home != "" {
		args = append([]string{"--home", home}, args...)
	}
	return boot.Run(ctx, manifest, args, boot.Terminal{Out: term.out, Err: term.err, Variable: os.Getenv}, start, ical.LoadZones)
}

// start makes what is lacking and serves until ctx ends.
func start(ctx context.Context, env libos.Env) error {
	if err := setup.MayLogin(env); err != nil {
		return err
	}
	setup.BoundHeap(ctx)
	dir, err := upHome(env)
	if err != nil {
		return err
	}
	release, err := dir.claim()
	if err != nil {
		return err
	}
	defer release()
	watch := monitor.New()
	house, password, err := upHouse(ctx, env, dir, watch)
	if err != nil {
		return err
	}
	p, err := newProcess(ctx, env, house, watch)
	if err == nil {
		err = p.run(ctx, password)
	}
	return errors.Join(err, house.close())
}

// upHome is the folder to keep things in, "" for none: a Cairn whose repository
// is somewhere else needs none.
func upHome(env libos.Env) (home, error) {
	if env.State == "" && env.Args.Given("remote") {
		return "", nil
	}
	dir, err := setup.KeepDir(env)
	return home(dir), err
}

// upHouse opens the house, furnished. password is as of furnish.
func upHouse(ctx context.Context, env libos.Env, dir home, watch *monitor.Monitor) (*house, string, error) {
	if env.Args.Given("remote") {
		return makeAway(ctx, env, dir, watch)
	}
	return dir.make(ctx, env)
}
