package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"cairn/services/config"
	"cairn/services/unipi"
	"cairn/store"
)

type siteCommands struct {
	Add      siteAdd      `cmd:"" help:"Make a site, pushed to or followed from elsewhere."`
	List     siteList     `cmd:"" help:"Sites, their addresses and branches."`
	History  siteHistory  `cmd:"" help:"What was published, when and by whom."`
	Rollback siteRollback `cmd:"" help:"Publish an earlier state again."`
}

// siteBranch is where a branch of a site lies in the repository.
func (h *house) siteBranch(site, branch string) *store.Branch {
	return h.repo.Branch("site/" + site + "/" + branch)
}

// knownSite makes sure that a site exists, so that a slip of the pen is told.
func (h *house) knownSite(ctx context.Context, name string) (*config.Site, error) {
	site, err := h.config.Site(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no site %q: `cairn site list` shows those there are", name)
	}
	return site, err
}

type siteAdd struct {
	Name    string        `arg:"" help:"Small letters, digits and hyphens."`
	Owner   string        `help:"The user whose site it is." default:"owner"`
	Host    []string      `help:"A host name under which it is served; may be repeated." placeholder:"NAME"`
	Private bool          `help:"Show it only to those who may read its source."`
	Remote  string        `help:"Follow a repository elsewhere instead of taking pushes (http or https)." placeholder:"URL"`
	Branch  string        `help:"The remote's branch that is live; default: its HEAD." placeholder:"NAME"`
	Poll    time.Duration `help:"How often to ask the remote." default:"5m"`
	Webhook bool          `help:"Let the remote's forge report pushes; prints address and secret."`
}

func (c *siteAdd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.accounts.User(ctx, c.Owner); err != nil {
			return fmt.Errorf("owner %q: %w (`cairn user add` makes one)", c.Owner, err)
		}
		site := config.Site{Name: c.Name, Owner: c.Owner, Hosts: c.Host, Private: c.Private}
		if c.Remote == "" && (c.Branch != "" || c.Webhook) {
			return errors.New("--branch and --webhook go with --remote")
		}
		if _, err := house.config.Site(ctx, c.Name); err == nil {
			return fmt.Errorf("there is a site %q already: choose another name", c.Name)
		}
		if c.Remote != "" {
			remote, login, err := splitLogin(c.Remote)
			if err != nil {
				return err
			}
			site.Remote = &config.Remote{URL: remote, Branch: c.Branch, Poll: c.Poll, Webhook: c.Webhook}
			if login != "" {
				if err := house.secrets.Put(ctx, operator(), remoteSecret(c.Name), []byte(login)); err != nil {
					return err
				}
			}
		}
		secret := ""
		if c.Webhook {
			secret = rand.Text()
			if err := house.secrets.Put(ctx, operator(), webhookSecret(c.Name), []byte(secret)); err != nil {
				return err
			}
		}
		if err := house.config.AddSite(ctx, operator(), site); err != nil {
			return err
		}
		return c.tell(h, term, site, secret)
	})
}

// splitLogin takes the user and password out of a URL: what lies in the branch
// config is not encrypted.
func splitLogin(remote string) (plain, login string, err error) {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", errors.New("a remote is an http or https URL, such as https://forge.example/me/site.git")
	}
	if u.User != nil {
		password, _ := u.User.Password()
		login = u.User.Username() + ":" + password
		u.User = nil
	}
	return u.String(), login, nil
}

func (c *siteAdd) tell(h home, term terminal, site config.Site, secret string) error {
	r, err := readRunning(string(h))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if site.Remote == nil {
		fmt.Fprintf(term.out, "Push      git push %s HEAD:main\n", pushURL(r, c.Owner, c.Name))
	} else if r.PID == 0 {
		fmt.Fprintln(term.out, "Fetched once `cairn up` runs.")
	}
	if secret != "" {
		fmt.Fprintf(term.out, "Webhook   POST to the site's address + %s, signed with this secret (shown this once)\n", unipi.WebhookPath)
		fmt.Fprintf(term.out, "Secret    %s\n", secret)
	}
	return nil
}

// gitAddress is where git's port is by itself.
func gitAddress() string {
	for _, p := range manifest.Ports {
		if p.Name == "git" {
			return p.Host
		}
	}
	return ""
}

// pushURL is where a site is pushed to; the port is not known while nothing runs.
func pushURL(r running, user, site string) string {
	base := r.Git
	if base == "" {
		base = "http://" + gitAddress()
	}
	scheme, rest, _ := strings.Cut(base, "://")
	return fmt.Sprintf("%s://%s@%s/%s", scheme, user, rest, site)
}

type siteList struct{}

func (c *siteList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		r, err := readRunning(string(house.dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sites, err := house.config.Sites(ctx)
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for _, s := range sites {
			if err := house.describeSite(ctx, w, r, s); err != nil {
				return err
			}
		}
		return errors.Join(err, w.Flush())
	})
}

// describeSite prints a line for a site and one for each of its branches, with their
// addresses while r runs.
func (h *house) describeSite(ctx context.Context, w io.Writer, r running, s *config.Site) error {
	from := "pushed"
	if s.Remote != nil {
		from = "follows " + s.Remote.URL
	}
	names := append([]string{r.siteURL(s.Name, config.Main)}, s.Hosts...)
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, s.Owner, from, strings.TrimSpace(strings.Join(names, " ")))
	prefix := "site/" + s.Name + "/"
	for b, err := range h.repo.Branches(ctx, prefix) {
		if err != nil {
			return err
		}
		tree, err := b.Tree(ctx)
		if err != nil {
			return err
		}
		rev, _ := tree.Commit()
		name, preview := strings.TrimPrefix(b.Name(), prefix), ""
		if name != config.Main {
			preview = r.siteURL(s.Name, name)
		}
		fmt.Fprintf(w, "  %s\t%.10s\t%s\t%s\t%s\n", name, rev.Hash,
			rev.Committer.When.Format("2006-01-02 15:04"), preview, subject(rev.Message))
	}
	return nil
}

type siteHistory struct {
	Name   string `arg:""`
	Branch string `help:"Another branch than the live one." default:"main"`
	Most   int    `help:"How many to show." default:"20"`
}

func (c *siteHistory) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownSite(ctx, c.Name); err != nil {
			return err
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		n := 0
		for rev, err := range house.siteBranch(c.Name, c.Branch).Log(ctx, "") {
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("nothing has been pushed to branch %s of %s yet", c.Branch, c.Name)
			}
			if err != nil {
				return err
			}
			if n++; n > c.Most {
				break
			}
			fmt.Fprintf(w, "%.10s\t%s\t%s\t%s\n", rev.Hash, rev.Committer.When.Format("2006-01-02 15:04"), rev.Author.Name, subject(rev.Message))
		}
		return w.Flush()
	})
}

// subject is the first line of a commit's message, safe to print.
func subject(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, line)
}

type siteRollback struct {
	Name   string `arg:""`
	To     string `arg:"" optional:"" help:"The state to publish again, as history prints it; default: the one before."`
	Branch string `help:"Another branch than the live one." default:"main"`
}

func (c *siteRollback) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownSite(ctx, c.Name); err != nil {
			return err
		}
		branch := house.siteBranch(c.Name, c.Branch)
		rev, err := findRevision(ctx, branch, c.To)
		if err != nil {
			return fmt.Errorf("roll back %s: %w", c.Name, err)
		}
		tree, err := house.repo.Tree(ctx, rev.Hash)
		if err != nil {
			return err
		}
		change := store.Change{
			Author:  operator(),
			Message: fmt.Sprintf("Roll back to %.10s: %s", rev.Hash, subject(rev.Message)),
		}
		if err := branch.Reset(ctx, change, tree); err != nil {
			return err
		}
		_, err = fmt.Fprintf(term.out, "%s is at %.10s again: %s\n", c.Name, rev.Hash, subject(rev.Message))
		return err
	})
}

// findRevision finds the commit of a branch whose hash begins with prefix; with
// an empty prefix, the newest one that shows something else than the tip does.
func findRevision(ctx context.Context, b *store.Branch, prefix string) (store.Revision, error) {
	var tip, found store.Revision
	for rev, err := range b.Log(ctx, "") {
		if err != nil {
			return found, err
		}
		if tip.Hash == (store.Hash{}) {
			tip = rev
		}
		switch {
		case prefix == "" && rev.Tree != tip.Tree:
			return rev, nil
		case prefix == "" || !strings.HasPrefix(rev.Hash.String(), prefix):
		case found.Hash != (store.Hash{}):
			return found, fmt.Errorf("%s begins more than one commit: give more digits", prefix)
		default:
			found = rev
		}
	}
	if found.Hash == (store.Hash{}) && prefix == "" {
		return found, errors.New("there is nothing before what it shows now")
	}
	if found.Hash == (store.Hash{}) {
		return found, fmt.Errorf("branch %s never was at %s: `cairn site history` shows where it was", b.Name(), prefix)
	}
	return found, nil
}
