package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/store"
	"cairn/store/gitwire"
)

// A push is one request to move refs of a place.
type push struct {
	service *Service
	place   place
	user    *accounts.User
	begun   time.Time // when its objects had arrived
}

// errRights is what somebody is told whose rights were taken while the push ran.
var errRights = errors.New("you may not push here any more")

// allow decides about one command.
func (p *push) allow(ctx context.Context, _ *gitwire.Push, c gitwire.Command) error {
	if p.begun.IsZero() {
		p.begun = time.Now()
	}
	at, shown, err := p.at(c.Name)
	if err != nil {
		return err
	}
	if _, ok := p.service.check(at.kind); !ok {
		return fmt.Errorf("nothing can be pushed to %s", at.kind)
	}
	if at.kind == Site {
		ref, isBranch := strings.CutPrefix(shown, heads)
		if !isBranch {
			ref = strings.TrimPrefix(shown, "refs/")
		}
		return p.allowSite(ctx, c, at, ref)
	}
	if c.Forced || c.New.IsZero() {
		return errors.New("this branch cannot be rewritten or deleted: push a commit that reverts what was wrong")
	}
	return nil
}

// allowSite goes by the site's settings, the defaults when it is not there. ref
// is a branch, or a tag as tags/NAME.
func (p *push) allowSite(ctx context.Context, c gitwire.Command, at place, ref string) error {
	site, err := p.service.Config.Site(ctx, at.name)
	if errors.Is(err, fs.ErrNotExist) {
		site, err = &config.Site{}, nil
	}
	switch {
	case err != nil:
		return err
	case site.Remote != nil:
		// The next fetch would undo what is acknowledged here.
		return fmt.Errorf("this site follows %s: push there", site.Remote.URL)
	case !c.Forced && !c.New.IsZero(), site.MayForce(ref):
		return nil
	case c.New.IsZero():
		return fmt.Errorf("%s cannot be deleted: allow_force of the site does not list it", ref)
	default:
		return fmt.Errorf("%s cannot be rewritten: allow_force of the site does not list it", ref)
	}
}

// at returns the place that a command is about, and the ref's name there: in
// /all it depends on the name.
func (p *push) at(shown string) (place, string, error) {
	real, ok := p.place.real(shown)
	at, shown, known := locate(real)
	if !ok || !known {
		return place{}, "", p.place.nameError(shown)
	}
	return at, shown, nil
}

// accept runs the checks of the branches, and makes the site if it is not there
// yet. The site is made before its branches: after a crash between the two there
// is an empty site that belongs to whoever pushed.
func (p *push) accept(ctx context.Context, w *gitwire.Push) error {
	for _, c := range w.Commands {
		if err := p.checkCommand(ctx, w, c); err != nil {
			return err
		}
	}
	// A push can take long: rights are asked again at its end.
	now, err := p.service.Accounts.User(ctx, p.user.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return errRights
	}
	if err != nil {
		return err
	}
	r, err := p.service.rights(ctx, now, p.place)
	switch {
	case err != nil:
		return err
	case !r.write:
		return errRights
	case r.make:
		site := config.Site{Name: p.place.name, Owner: now.Name}
		return p.service.Config.AddSite(ctx, now.Signature(), site)
	default:
		return nil
	}
}

// maxAhead is how far a commit's date may lie in the future. Dates on a branch never go
// back, so every later commit would have to bear that date, and what was there
// at a given time could no longer be told.
const maxAhead = 24 * time.Hour

// checkCommand asks the check of the branch that a command moves.
func (p *push) checkCommand(ctx context.Context, w *gitwire.Push, c gitwire.Command) error {
	at, shown, err := p.at(c.Name)
	if err != nil || c.New.IsZero() || !isBranch(shown) {
		return err
	}
	check, ok := p.service.check(at.kind)
	if !ok {
		return fmt.Errorf("nothing can be pushed to %s", at.kind)
	}
	change := Change{User: p.user.Name, Tell: w.Progress}
	if !c.Old.IsZero() {
		if change.Old, err = store.NewTree(ctx, w.Objects, c.Old); err != nil {
			return fmt.Errorf("read %s: %w", c.Name, err)
		}
	}
	if change.New, err = store.NewTree(ctx, w.Objects, c.New); err != nil {
		return fmt.Errorf("read %s: %w", c.Name, err)
	}
	if rev, ok := change.New.Commit(); ok && rev.Committer.When.After(time.Now().Add(maxAhead)) {
		return fmt.Errorf("%s: its last commit is dated %s: set the clock of the computer it was made on, then git commit --amend --no-edit",
			shown, rev.Committer.When.Format(time.DateOnly))
	}
	real, _ := at.real(shown)
	change.Branch = strings.TrimPrefix(real, heads)
	return check(ctx, change)
}
