package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
	"cairn/store/sign"

	"golang.org/x/crypto/ssh"
)

// The user and the site that the first run makes.
const (
	firstUser = "owner"
	firstSite = "site"
)

// A house is an open home. Several processes may have one open at once.
type house struct {
	dir      home
	git      *gitdir.Dir
	repo     *store.Repo
	accounts *accounts.Accounts
	config   *config.Config
	secrets  *secrets.Secrets
	signer   ssh.PublicKey // of the commits made here
}

// open opens a home that exists. The caller closes it.
func (h home) open(log *slog.Logger) (*house, error) {
	if _, err := os.Stat(seedPath(string(h))); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no Cairn in %s: `cairn up` makes one, --home DIR names another", h)
	}
	seed, err := readSeed(string(h))
	if err != nil {
		return nil, err
	}
	git, err := gitdir.Open(h.repository(), gitdir.Options{Log: log})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", h.repository(), err)
	}
	key, err := signingKey(seed)
	if err != nil {
		return nil, errors.Join(err, git.Close())
	}
	repo := store.New(git, store.Options{Signer: sign.SSH(key)})
	sec, err := secrets.Open(repo.Branch("secrets"), seed)
	if err != nil {
		return nil, errors.Join(err, git.Close())
	}
	return &house{
		dir:      h,
		git:      git,
		repo:     repo,
		accounts: accounts.New(repo.Branch("accounts")),
		config:   config.Open(repo.Branch("config")),
		secrets:  sec,
		signer:   key.PublicKey(),
	}, nil
}

// signingKey is the key under which every commit is signed that Cairn makes. It comes
// from the seed, so it is the same wherever the home goes.
func signingKey(seed [32]byte) (ssh.Signer, error) {
	derived, err := secrets.Open(nil, seed) // only to derive: no branch is read
	if err != nil {
		return nil, err
	}
	key, err := derived.DeriveEd25519("commit signing key")
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

// openQuiet opens a home for one command: what maintenance has to say is for the
// Cairn that is up.
func (h home) openQuiet() (*house, error) { return h.open(slog.New(slog.DiscardHandler)) }

func (h home) repository() string { return filepath.Join(string(h), "repo.git") }

// make makes what a home lacks, whatever an interrupted first run left. The
// password is that of firstUser, "" when there are users already.
func (h home) make(ctx context.Context, log *slog.Logger) (_ *house, password string, err error) {
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return nil, "", err
	}
	if _, err := os.Stat(h.repository()); errors.Is(err, fs.ErrNotExist) {
		if err := gitdir.Init(h.repository()); err != nil {
			return nil, "", fmt.Errorf("make %s: %w", h.repository(), err)
		}
	}
	if _, err := readSeed(string(h)); err != nil {
		return nil, "", err
	}
	house, err := h.open(log)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, house.close())
		}
	}()
	password, err = house.furnish(ctx)
	return house, password, err
}

// furnish writes the first configuration, site and user, each where it is absent.
// The user comes last: a first run that did not get so far is run again.
func (h *house) furnish(ctx context.Context) (password string, err error) {
	if err := h.config.Init(ctx, software); err != nil {
		return "", err
	}
	users, err := h.accounts.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	err = h.config.AddSite(ctx, software, config.Site{Name: firstSite, Owner: firstUser})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	password = accounts.GeneratePassword()
	return password, h.accounts.Add(ctx, software, firstUser, password, true)
}

func (h *house) close() error { return h.git.Close() }

// software is who makes the first commits.
var software = object.Signature{Name: "Cairn", Email: "cairn@localhost"}

// operator is the person at the terminal, for the commits their commands make.
func operator() object.Signature {
	u, err := user.Current()
	if err != nil {
		return software
	}
	name := u.Name
	if name == "" {
		name = u.Username
	}
	return object.Signature{Name: name, Email: u.Username + "@localhost"}
}
