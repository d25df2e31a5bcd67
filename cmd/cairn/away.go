package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/config"
	"cairn/services/monitor"
	"cairn/store/gitwire"
)

// cache is where copies are kept of a repository that lies somewhere else.
func (h home) cache() string {
	if h == "" {
		return ""
	}
	return filepath.Join(string(h), "cache.git")
}

// makeAway opens a house whose repository lies somewhere else, and furnishes it if
// nobody has.
func makeAway(ctx context.Context, env libos.Env, dir home, watch *monitor.Monitor) (_ *house, password string, err error) {
	if _, err := os.Stat(dir.repository()); dir != "" && err == nil {
		return nil, "", fmt.Errorf("%s is a home with a repository of its own: `git -C %s push --mirror URL` moves it; then start without --home, or with another", dir, dir.repository())
	}
	seed, have, err := awaySeed(env, dir)
	if err != nil {
		return nil, "", err
	}
	house, err := openAway(ctx, env, dir, seed, watch)
	if errors.Is(err, gitwire.ErrUnauthorized) {
		tellLogin(env, seed, have)
	}
	if errors.Is(err, setup.ErrWrongSeed) && !have {
		err = errNoSeed
	}
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, house.close())
		}
	}()
	if !have {
		if err := house.newSeed(ctx, env); err != nil {
			return nil, "", err
		}
	}
	if dir != "" {
		if err := setup.KeepSeed(string(dir), seed); err != nil {
			return nil, "", err
		}
	}
	password, err = house.furnish(ctx)
	return house, password, err
}

// awaySeed is the seed that was given, or the one in dir, or a new one.
func awaySeed(env libos.Env, dir home) (seed setup.Seed, have bool, err error) {
	given, have, err := setup.SeedGiven(env)
	if err != nil {
		return seed, false, err
	}
	kept, err := setup.ReadSeed(string(dir))
	switch {
	case dir == "", errors.Is(err, fs.ErrNotExist):
		if !have {
			return setup.NewSeed(), false, nil
		}
		return given, true, nil
	case err != nil:
		return seed, false, err
	case have && given != kept:
		return seed, false, fmt.Errorf("%s is another seed than the one that was given: name another folder with --home", setup.SeedPath(string(dir)))
	}
	return kept, true, nil
}

// openAway opens the repository of --remote.
func openAway(ctx context.Context, env libos.Env, dir home, seed setup.Seed, watch *monitor.Monitor) (*house, error) {
	key, err := setup.SigningKey(seed)
	if err != nil {
		return nil, err
	}
	var settings atomic.Pointer[config.Config]
	r, err := setup.OpenRemote(ctx, env, setup.RemoteOptions{
		Seed:    &seed,
		Folder:  dir.cache(),
		Own:     key.PublicKey(),
		Free:    func(ref string) bool { return mayForce(ctx, settings.Load(), ref) },
		Observe: setup.Observer(watch),
	})
	if err != nil {
		return nil, err
	}
	house, err := newHouse(r.Guarded(), r.Held(), seed, env, r.Close)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := setup.CheckSeed(ctx, house.secrets); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	house.dir, house.remote = dir, r
	settings.Store(house.config)
	r.Reconsider() // of what moved while nobody was up
	r.Monitor(watch)
	return house, nil
}

// mayForce says whether those who may write a ref may rewrite it: previews and tags of
// sites, as their settings have it.
func mayForce(ctx context.Context, settings *config.Config, ref string) bool {
	if settings == nil {
		return false // nobody has read them yet
	}
	kind, rest, ok := strings.Cut(strings.TrimPrefix(ref, "refs/"), "/site/")
	name, branch, inside := strings.Cut(rest, "/")
	if !ok || !inside {
		return false
	}
	if kind == "tags" {
		branch = "tags/" + branch
	}
	site, err := settings.Site(ctx, name)
	return err == nil && (site.Remote != nil || site.MayForce(branch))
}

var errNoSeed = errors.New("there is a Cairn in this repository: give the seed that it was made with, by --seed-file or CAIRN_SEED")

// newSeed makes sure that a seed which was made just now is this house's, and
// tells it before anything depends on it.
func (h *house) newSeed(ctx context.Context, env libos.Env) error {
	done, err := h.isFurnished(ctx)
	if err != nil {
		return err
	}
	if done {
		return errNoSeed
	}
	fmt.Fprintf(env.Out, "Seed      %s (shown this once: keep it, start again with CAIRN_SEED or --seed-file)\n", h.seed)
	return nil
}

// tellLogin says which key has to be let in at the host, where we log in by one that
// follows from the seed.
func tellLogin(env libos.Env, seed setup.Seed, have bool) {
	line, err := setup.LoginKey(env.Args, seed)
	if err != nil || line == "" {
		return
	}
	fmt.Fprintf(env.Out, "Key       %s (the host has to let it push)\n", line)
	if !have {
		fmt.Fprintf(env.Out, "Seed      %s (the key follows from it: start again with CAIRN_SEED or --seed-file)\n", seed)
	}
}
