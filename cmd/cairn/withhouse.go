package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/libos/boot"
	"cairn/services/monitor"
	"cairn/store/gitdir"
	"cairn/store/observe"
)

// withHouse does one thing in the house: in the home or, where the environment says
// so by the variables that `cairn up` takes, in a repository somewhere else.
func withHouse(ctx context.Context, h home, do func(*house) error) error {
	if os.Getenv("CAIRN_REMOTE") != "" {
		return withRemote(ctx, do)
	}
	house, err := h.openQuiet()
	if err != nil {
		return err
	}
	var committed atomic.Bool
	house.told = append(house.told, func(observe.Commit) { committed.Store(true) })
	err = errors.Join(do(house), house.close())
	if committed.Load() {
		// A Cairn that is up has seen it when the command ends: who is removed is out.
		time.Sleep(gitdir.SeenAfter)
	}
	return err
}

// visit is what a command needs that works on a repository somewhere else.
var visit = libos.Manifest{
	Name:  "cairn",
	Peers: []libos.Peer{setup.RemotePeer},
	Args:  slices.Concat(setup.RemoteArgs, setup.SeedArgs),
}

// withRemote is withHouse for a repository somewhere else. Files stay there unless
// they are looked at.
func withRemote(ctx context.Context, do func(*house) error) error {
	var err error
	args := []string{"--remote-lazy"}
	term := boot.Terminal{Out: io.Discard, Err: os.Stderr, Variable: os.Getenv}
	status := boot.Run(ctx, visit, args, term, func(ctx context.Context, env libos.Env) error {
		env.Log = slog.New(slog.DiscardHandler)
		err = visitRemote(ctx, env, do)
		return nil
	})
	if err == nil && status != 0 {
		err = errors.New("the repository of CAIRN_REMOTE cannot be opened")
	}
	return err
}

func visitRemote(ctx context.Context, env libos.Env, do func(*house) error) error {
	seed, have, err := setup.SeedGiven(env)
	if err == nil && !have {
		err = errors.New("CAIRN_REMOTE goes with the seed: CAIRN_SEED or CAIRN_SEED_FILE")
	}
	if err != nil {
		return err
	}
	house, err := openAway(ctx, env, "", seed, monitor.New())
	if err != nil {
		return err
	}
	for _, ref := range house.remote.Status().Rewound {
		fmt.Fprintln(env.Err, "cairn:", ref) // what follows may not be all there is
	}
	return errors.Join(do(house), house.close())
}
