// Package alone opens the repository of a command that is one service and nothing else: here or somewhere
// else, furnished if nobody has done so before.
package alone

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/monitor"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
	"cairn/store/observe"
	"cairn/store/sign"
)

// FirstUser is whom the first run lets log in.
const FirstUser = "owner"

// software is who makes the first commits.
var software = object.Signature{Name: "Cairn", Email: "cairn@localhost"}

// State is where the repository is kept.
var State = &libos.Folder{Name: "home", Env: "CAIRN_HOME", Help: "Where everything is kept; with --remote, copies of what is kept there."}

// A House is an open repository with what every service needs of it.
type House struct {
	Env      libos.Env
	Page     *monitor.Monitor // of metrics and health
	From     string           // which repository, for people
	Seed     setup.Seed
	Repo     *store.Repo
	Remote   *setup.Remote // nil: the repository is here
	Accounts *accounts.Accounts
	Config   *config.Config
	Secrets  *secrets.Secrets

	// Password is the first user's, where this was the first run.
	Password string

	close func() error
}

// Open opens the house that the arguments name. cacheBytes is for trees and files.
func Open(ctx context.Context, env libos.Env, cacheBytes int64) (*House, error) {
	h := &House{Env: env, Page: monitor.New(), close: func() error { return nil }}
	err := h.open(ctx, cacheBytes)
	if err == nil {
		h.Password, err = h.furnish(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Close gives the repository free.
func (h *House) Close() error { return h.close() }

// Tell tells the first user's password, once.
func (h *House) Tell() {
	if h.Password != "" {
		fmt.Fprintf(h.Env.Err, "Password  %s (user %s; shown this once)\n", h.Password, FirstUser)
	}
}

// TLS opens what the arguments say of certificates, for some names.
func (h *House) TLS(ctx context.Context, names []string) (*setup.TLS, error) {
	o := setup.TLSOptions{
		Seed:    &h.Seed,
		Secrets: h.Secrets,
		Names:   names,
		Local:   setup.LocalNames(h.Env),
		Plain:   h.Env.Listens(setup.HTTPS.Name),
	}
	if h.Remote != nil {
		o.Settle = h.Remote.Settle()
	}
	return setup.OpenTLS(ctx, h.Env, o)
}

// furnish writes the format, the seed's marker and the first user where they are absent.
func (h *House) furnish(ctx context.Context) (password string, err error) {
	if err := setup.CheckSeed(ctx, h.Secrets); err != nil {
		return "", err
	}
	if err := h.Config.Init(ctx, software); err != nil {
		return "", err
	}
	users, err := h.Accounts.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	if err := setup.MarkSeed(ctx, h.Secrets, software); err != nil {
		return "", err
	}
	password = accounts.GeneratePassword()
	return password, h.Accounts.Add(ctx, software, FirstUser, password, true)
}

// open opens the repository, here or somewhere else.
func (h *House) open(ctx context.Context, cacheBytes int64) error {
	seed, have, err := setup.SeedGiven(h.Env)
	if err != nil {
		return err
	}
	if h.Env.Args.Given("remote") {
		return h.openAway(ctx, seed, have, cacheBytes)
	}
	home, err := setup.KeepDir(h.Env)
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
	h.close = func() error {
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
	dir, err := gitdir.Open(repo, gitdir.Options{Log: h.Env.Log})
	if err != nil {
		return err
	}
	h.close = func() error {
		defer release()
		return dir.Close()
	}
	h.From = home
	return h.wire(dir, seed, cacheBytes)
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
func (h *House) openAway(ctx context.Context, seed setup.Seed, have bool, cacheBytes int64) (err error) {
	if !have {
		return errors.New("--remote goes with the seed of the Cairn that is there: --seed-file FILE or CAIRN_SEED; `cairn up --remote URL` makes one")
	}
	key, err := setup.SigningKey(seed)
	if err != nil {
		return err
	}
	h.Remote, err = setup.OpenRemote(ctx, h.Env, setup.RemoteOptions{Seed: &seed, Folder: h.Env.State, Own: key.PublicKey(), Observe: setup.Observer(h.Page)})
	if err != nil {
		return err
	}
	h.close, h.From = h.Remote.Close, h.Remote.String()
	return h.wire(h.Remote.Guarded(), seed, cacheBytes)
}

// wire finds its way in a repository.
func (h *House) wire(b observe.Backend, seed setup.Seed, cacheBytes int64) error {
	key, err := setup.SigningKey(seed)
	if err != nil {
		return err
	}
	h.Seed = seed
	h.Repo = store.New(observe.New(b, h.Page.Committed), store.Options{Signer: sign.SSH(key), CacheBytes: h.Env.Share(cacheBytes, 12)})
	h.Accounts = accounts.New(h.Repo.Branch("accounts"))
	h.Config = config.Open(h.Repo.Branch("config"))
	h.Accounts.Granted = h.Config.AddressesOf
	h.Secrets, err = secrets.Open(h.Repo.Branch("secrets"), seed)
	return err
}
