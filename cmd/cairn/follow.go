package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"cairn/services/config"
	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitwire"
)

// followers keep the sites that come from elsewhere up to date, one Follower a
// site.
type followers struct {
	house *house
	out   http.RoundTripper // to the remotes
	log   *slog.Logger

	wg sync.WaitGroup

	mu      sync.Mutex // guards running
	running map[string]*following
}

// following is one site that is followed.
type following struct {
	remote   config.Remote
	follower *unipi.Follower
	stop     context.CancelFunc
}

// set follows exactly the sites given that have a remote, until ctx ends.
func (f *followers) set(ctx context.Context, sites []*config.Site) {
	f.mu.Lock()
	defer f.mu.Unlock()
	want := map[string]config.Remote{}
	for _, s := range sites {
		if s.Remote != nil {
			want[s.Name] = *s.Remote
		}
	}
	for name, r := range f.running {
		if want[name] != r.remote {
			r.stop()
			delete(f.running, name)
		}
	}
	for name, remote := range want {
		if f.running[name] == nil && ctx.Err() == nil {
			f.running[name] = f.start(ctx, name, remote)
		}
	}
}

func (f *followers) start(ctx context.Context, name string, remote config.Remote) *following {
	ctx, stop := context.WithCancel(ctx)
	log := f.log.With("site", name, "remote", remote.URL)
	follower := unipi.NewFollower(func(ctx context.Context) (bool, error) {
		return f.fetch(ctx, name, remote)
	}, log)
	follower.Every = remote.Poll
	f.wg.Go(func() { follower.Run(ctx) })
	return &following{remote, follower, stop}
}

// wait returns when all have stopped; their contexts have to have ended.
func (f *followers) wait() { f.wg.Wait() }

// wake makes a site's remote be asked soon.
func (f *followers) wake(site string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.running[site]; r != nil {
		r.follower.Wake()
	}
}

// fetch brings the branches and tags of a site to where its remote has them: the
// remote's chosen branch becomes main, the others are previews under their names.
func (f *followers) fetch(ctx context.Context, site string, remote config.Remote) (changed bool, err error) {
	client := gitwire.Client{HTTP: f.out, Redirect: func(from, to *url.URL) error { return nil }}
	if err := f.logIn(ctx, site, &client); err != nil {
		return false, err
	}
	git := f.house.repo.Backend()
	have, err := refsOf(ctx, git, site)
	if err != nil {
		return false, err
	}
	into, ok := git.(store.Receiver)
	if !ok {
		return false, errors.New("this repository takes no packs")
	}
	host, err := client.Remote(remote.URL)
	if err != nil {
		return false, err
	}
	defer host.Close()
	there, err := host.Fetch(ctx, gitwire.FetchRequest{
		Into:     into,
		Objs:     git,
		Have:     have,
		Prefixes: []string{"HEAD", branches, tags},
		Want:     func(refs []store.Ref) []store.Hash { return wanted(refs) },
	})
	if err != nil {
		return false, err
	}
	changes, err := movesTo(site, remote.Branch, have, there.Refs)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	for _, c := range changes {
		if err := f.check(ctx, site, c); err != nil {
			return false, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return true, git.Commit(ctx, nil, changes)
}

// logIn takes the password for a remote, where there is one, from the secrets.
func (f *followers) logIn(ctx context.Context, site string, c *gitwire.Client) error {
	login, err := f.house.secrets.Get(ctx, remoteSecret(site))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c.User, c.Password, _ = strings.Cut(string(login), ":")
	return err
}

// check asks of a branch that comes from elsewhere what a push has to satisfy.
func (f *followers) check(ctx context.Context, site string, c store.RefChange) error {
	if c.New.IsZero() || !strings.HasPrefix(c.Name, branches) {
		return nil
	}
	tree, err := f.house.repo.Tree(ctx, c.New)
	if err != nil {
		return err
	}
	var old *store.Tree
	if !c.Old.IsZero() {
		if old, err = f.house.repo.Tree(ctx, c.Old); err != nil {
			return err
		}
	}
	warnings, err := unipi.CheckPush(ctx, old, tree)
	for _, w := range warnings {
		f.log.Warn("rule left out", "site", site, "problem", w.Error())
	}
	return err
}

const (
	branches = "refs/heads/"
	tags     = "refs/tags/"
)

// refsOf lists the branches and tags of a site under their names in the repository.
func refsOf(ctx context.Context, git store.Backend, site string) ([]store.Ref, error) {
	var list []store.Ref
	for _, kind := range []string{branches, tags} {
		for ref, err := range git.Refs(ctx, kind+"site/"+site+"/") {
			if err != nil {
				return nil, err
			}
			list = append(list, ref)
		}
	}
	return list, nil
}

// wanted is what branches and tags name; HEAD names one of them.
func wanted(refs []store.Ref) []store.Hash {
	var hashes []store.Hash
	for _, r := range refs {
		if r.Name != "HEAD" {
			hashes = append(hashes, r.Hash)
		}
	}
	return hashes
}

// movesTo works out which refs of a site move so that it is as the remote is.
func movesTo(site, branch string, have, there []store.Ref) ([]store.RefChange, error) {
	live := branches + branch
	if branch == "" {
		live = headOf(there)
	}
	want := map[string]store.Hash{}
	for _, r := range there {
		kind, name := branches, strings.TrimPrefix(r.Name, branches)
		if name == r.Name {
			kind, name = tags, strings.TrimPrefix(r.Name, tags)
		}
		switch {
		case r.Name == live:
			name = config.Main
		case name == r.Name || kind == branches && name == config.Main:
			continue // HEAD, or a branch whose name the live one takes
		}
		want[kind+"site/"+site+"/"+name] = r.Hash
	}
	if _, ok := want[branches+"site/"+site+"/"+config.Main]; !ok {
		return nil, fmt.Errorf("the remote has no branch %q", strings.TrimPrefix(live, branches))
	}
	var changes []store.RefChange
	for _, r := range have {
		if want[r.Name] != r.Hash {
			changes = append(changes, store.RefChange{Name: r.Name, Old: r.Hash, New: want[r.Name]})
		}
		delete(want, r.Name)
	}
	for name, hash := range want {
		changes = append(changes, store.RefChange{Name: name, New: hash})
	}
	return changes, nil
}

// headOf is the branch that a remote's HEAD stands for; main where it does not say.
func headOf(refs []store.Ref) string {
	for _, r := range refs {
		if r.Name == "HEAD" && r.Target != "" {
			return r.Target
		}
	}
	return branches + config.Main
}

// The secrets of a site that is followed: "user:password" of the remote, and what its
// webhook signs with.
func remoteSecret(site string) string  { return "remotes/" + site }
func webhookSecret(site string) string { return "webhooks/" + site }
