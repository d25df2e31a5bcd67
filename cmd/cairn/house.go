package main

import (
	"context"
	"errors"
	"io/fs"
	"os/user"

	"golang.org/x/crypto/ssh"

	"cairn/cmd/setup"
	"cairn/cmd/setup/dav"
	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/caldav/shelf"
	"cairn/services/config"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/object"
	"cairn/store/observe"
	"cairn/store/sign"
)

// The user and the site that the first run makes.
const (
	firstUser = "owner"
	firstSite = "site"
)

// A house is an open repository with what is in it. Several processes may have
// one open at once.
type house struct {
	dir      home          // where this machine keeps something of it; "" for nowhere
	remote   *setup.Remote // nil: the repository is in dir
	seed     setup.Seed
	repo     *store.Repo
	receiver store.Receiver // of the repository
	held     store.Objects  // what of the repository is on this machine
	accounts *accounts.Accounts
	config   *config.Config
	secrets  *secrets.Secrets
	shelf    *shelf.Shelf
	signer   ssh.PublicKey // of the commits made here
	close    func() error

	told []func(observe.Commit) // of every commit; set before anything runs
}

// newHouse finds its way in a repository.
func newHouse(b observe.Backend, held store.Objects, seed setup.Seed, env libos.Env, close func() error) (*house, error) {
	key, err := setup.SigningKey(seed)
	if err != nil {
		return nil, err
	}
	h := &house{seed: seed, held: held, signer: key.PublicKey(), close: close}
	b = observe.New(b, h.tell)
	h.receiver, h.repo = b, store.New(b, store.Options{Signer: sign.SSH(key), CacheBytes: env.Share(64<<20, 10)})
	h.accounts = accounts.New(h.repo.Branch("accounts"))
	h.config = config.Open(h.repo.Branch("config"))
	h.accounts.Granted = h.config.AddressesOf
	if h.secrets, err = secrets.Open(h.repo.Branch("secrets"), seed); err != nil {
		return nil, err
	}
	h.shelf, err = dav.OpenShelf(env, h.repo, h.accounts, h.secrets)
	return h, err
}

// tell tells of a commit.
func (h *house) tell(c observe.Commit) {
	for _, f := range h.told {
		f(c)
	}
}

// isFurnished reports whether somebody has furnished the house before.
func (h *house) isFurnished(ctx context.Context) (bool, error) {
	users, err := h.accounts.Users(ctx)
	return len(users) > 0, err
}

// furnish writes the first configuration, the seed's marker, the site and the user, each where it is absent.
// The user comes last: a first run that did not get so far is run again. The
// password is that of firstUser, "" when there are users already.
func (h *house) furnish(ctx context.Context) (password string, err error) {
	if err := h.config.Init(ctx, software); err != nil {
		return "", err
	}
	if done, err := h.isFurnished(ctx); err != nil || done {
		return "", err
	}
	if err := setup.MarkSeed(ctx, h.secrets, software); err != nil {
		return "", err
	}
	err = h.config.AddSite(ctx, software, config.Site{Name: firstSite, Owner: firstUser})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	password = accounts.GeneratePassword()
	return password, h.accounts.Add(ctx, software, firstUser, password, true)
}

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
