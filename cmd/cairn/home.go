package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/store/gitdir"
)

// A home is the folder in which one Cairn keeps everything, or the copies of what
// it keeps somewhere else.
type home string

// open opens a home that exists. The caller closes it.
func (h home) open(env libos.Env) (*house, error) {
	seed, err := setup.ReadSeed(string(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no Cairn in %s: `cairn up` makes one, --home DIR names another", h)
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(h.repository()); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(h.cache()); err == nil {
			return nil, fmt.Errorf("%s holds copies of a repository elsewhere: name that with --remote (`cairn up`) or CAIRN_REMOTE, and the seed with CAIRN_SEED_FILE=%s", h, setup.SeedPath(string(h)))
		}
	}
	git, err := gitdir.Open(h.repository(), gitdir.Options{Log: env.Log})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", h.repository(), err)
	}
	house, err := newHouse(git, git, seed, env, git.Close)
	if err != nil {
		return nil, errors.Join(err, git.Close())
	}
	house.dir = h
	return house, nil
}

// openQuiet opens a home for one command: what maintenance has to say is for the
// Cairn that is up.
func (h home) openQuiet() (*house, error) {
	return h.open(libos.Env{Log: slog.New(slog.DiscardHandler)})
}

func (h home) repository() string { return setup.Repository(string(h)) }

// make makes what a home lacks, whatever an interrupted first run left. The
// password is that of firstUser, "" when there are users already.
func (h home) make(ctx context.Context, env libos.Env) (_ *house, password string, err error) {
	if _, err := os.Stat(h.repository()); errors.Is(err, fs.ErrNotExist) {
		if err := gitdir.Init(h.repository()); err != nil {
			return nil, "", fmt.Errorf("make %s: %w", h.repository(), err)
		}
	}
	if _, err := setup.ReadSeed(string(h)); errors.Is(err, fs.ErrNotExist) {
		err = setup.KeepSeed(string(h), setup.NewSeed())
		if err != nil {
			return nil, "", err
		}
	}
	house, err := h.open(env)
	if err != nil {
		return nil, "", err
	}
	if err = setup.CheckSeed(ctx, house.secrets); err == nil {
		password, err = house.furnish(ctx)
	}
	if err != nil {
		return nil, "", errors.Join(err, house.close())
	}
	return house, password, nil
}

// claim makes the folder, if there is to be one, and makes sure that one `cairn up` runs
// on it.
func (h home) claim() (release func(), err error) {
	if h == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return nil, err
	}
	release, err = setup.LockHome(string(h))
	if errors.Is(err, setup.ErrRunning) {
		r, readErr := readRunning(string(h))
		err = errors.Join(fmt.Errorf("already up at %s (process %d, home %s)", r.HTTP, r.PID, h), readErr)
	}
	return release, err
}
