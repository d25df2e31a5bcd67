// Package git decides which URL shows which branches to whom, and what a push
// must satisfy. The git protocol itself is store/gitwire's.
//
// Each site has a URL of its own, /<site> or /<site>.git, over HTTP and SSH
// alike, and shows there its branches site/<site>/* as an ordinary repository's
// branches and its tags likewise. Other branches are each a repository with one
// branch, main: /config, /accounts, /secrets, /queue, /dav/<user>, /mail/<user>,
// /lists/<name>, /archive/<name>. /all is everything under its real names, for
// backups: git clone --mirror.
//
// Everything is denied that rights.go does not allow. What a user may not read
// looks exactly as if it were not there.
//
// # Caveats
//
// The names of sites can be learnt by somebody who may make sites: a name that
// is taken cannot be made.
package git

import (
	"context"
	"io"
	"log/slog"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/secrets"
	"cairn/store"
)

// A Service serves one repository over the git protocol. Its fields are set
// before it is used and not changed after.
type Service struct {
	Repo     *store.Repo
	Accounts *accounts.Accounts
	Config   *config.Config
	Secrets  *secrets.Secrets

	// Checks says by kind (Site, Dav, Mail, Lists, Archive, Queue) what a
	// push to a branch must satisfy. A kind without a check takes no
	// pushes. Config, Accounts and Secrets have theirs already.
	Checks map[string]Check

	// URL returns the address at which a branch of a site is served, "" for
	// none. The pusher is told of it.
	URL func(site, branch string) string

	Limits store.Limits // of what a push may bring
	Log    *slog.Logger // nil: nowhere
}

// A Check says what is wrong with a push to one branch.
type Check func(context.Context, Change) error

// A Change is what a push would make of a branch.
type Change struct {
	User   string      // who pushes
	Branch string      // its name in the repository, such as site/www/main
	Old    *store.Tree // nil: the branch is made
	New    *store.Tree
	Tell   io.Writer // lines for the pusher
}

// check returns the check of a kind of branch.
func (s *Service) check(kind string) (Check, bool) {
	switch kind {
	case Accounts:
		return func(_ context.Context, c Change) error { return accounts.Check(c.New) }, true
	case Config:
		return func(_ context.Context, c Change) error { return config.Check(c.New) }, true
	case Secrets:
		return func(_ context.Context, c Change) error { return s.Secrets.Check(c.New) }, true
	default:
		c, ok := s.Checks[kind]
		return c, ok
	}
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
