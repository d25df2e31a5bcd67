// Package config keeps what the services are told: a branch with
//
//	format              the version of everything in the repository, "1"
//	sites/<name>.toml   one website, see Site
//	backups.toml        where backups are kept, see Backup
//	mail.toml           how mail comes and goes, see Mail
//	domains/<d>.toml    a domain whose mail is served, see Domain
//
// such as
//
//	owner = "alice"
//	writers = ["bob"]
//	hosts = ["www.example.org"]
//	allow_force = ["draft-*"]
//
//	[protect]
//	"/club/" = ["alice", "bob"]
//
//	[remote]
//	url = "https://forge.example/alice/site.git"
//	poll = "5m"
//
// Administrators may edit these files and push them; Check says what a push must
// satisfy. Unknown keys are refused in a push and left alone when reading, but
// lost when Config itself writes the record, as are comments.
//
// A repository with a newer format than this software knows is refused by every
// method with a *FormatError: it is not read wrongly and not damaged.
//
// Reading is cheap: the branch is looked at again only when it has moved.
package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cairn/store"
	"cairn/store/object"
)

// Format is the version of the repository's layout that this software writes.
const Format = 1

// A FormatError says that the repository was written by newer software, or that
// the file format does not hold a version.
type FormatError struct{ Found string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("branch config: format is %q, this software knows %d: use a newer version of it", e.Found, Format)
}

// ErrRecord says that a site's file cannot be used.
var ErrRecord = errors.New("the record cannot be used")

// Config is what one branch says. Safe for concurrent use.
type Config struct {
	branch *store.Branch

	mu   sync.Mutex
	last *snapshot
}

// A snapshot is the branch at one moment. Nobody changes it.
type snapshot struct {
	tree   store.Hash
	format error // a *FormatError when the format is not ours
	sites  map[string]entry

	mail    mailEntry
	domains map[string]domainEntry
}

// An entry is one site's file.
type entry struct {
	blob store.Hash
	site *Site // nil when err is not
	err  error // what is wrong with the file
}

// A mailEntry is the file mail.toml; a domainEntry that of one domain.
type mailEntry struct {
	*Mail
	err error
}

type domainEntry struct {
	*Domain
	err error
}

const (
	dir        = "sites"
	formatFile = "format"
)

// Open returns the configuration kept on b, which need not exist yet.
func Open(b *store.Branch) *Config { return &Config{branch: b} }

// Init writes the format where there is none, and refuses one that is newer.
func (c *Config) Init(ctx context.Context, by object.Signature) error {
	return c.update(ctx, by, "Begin configuration", func(*store.Tx) error { return nil })
}

// Site returns one site; absent is fs.ErrNotExist, spoilt by hand ErrRecord.
func (c *Config) Site(ctx context.Context, name string) (*Site, error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := s.sites[name]
	if !ok {
		return nil, fmt.Errorf("site %q: %w", name, fs.ErrNotExist)
	}
	if e.err != nil {
		return nil, fmt.Errorf("site %q: %w: %w", name, ErrRecord, e.err)
	}
	return e.site, nil
}

// Sites returns all sites in the order of their names. A file that cannot be
// used, which no push and no method here makes, is an ErrRecord beside the others.
func (c *Config) Sites(ctx context.Context) ([]*Site, error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var sites []*Site
	for _, name := range slices.Sorted(maps.Keys(s.sites)) {
		if e := s.sites[name]; e.err != nil {
			err = errors.Join(err, fmt.Errorf("site %q: %w: %w", name, ErrRecord, e.err))
		} else {
			sites = append(sites, e.site)
		}
	}
	return sites, err
}

// AddSite makes a site; fs.ErrExist when there is one of that name. In this and
// the methods below, by is the acting user, who becomes the commit's author;
// when they return nil the change is durable.
func (c *Config) AddSite(ctx context.Context, by object.Signature, s Site) error {
	return c.update(ctx, by, "Add site "+s.Name, func(tx *store.Tx) error {
		if _, err := tx.Lookup(file(s.Name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("site %q: %w", s.Name, fs.ErrExist))
		}
		return putSite(tx, s)
	})
}

// PutSite makes or replaces a site.
func (c *Config) PutSite(ctx context.Context, by object.Signature, s Site) error {
	return c.update(ctx, by, "Set up site "+s.Name, func(tx *store.Tx) error { return putSite(tx, s) })
}

// RemoveSite takes a site out of the configuration; absent is fs.ErrNotExist.
// Its branches stay, seen by administrators only.
func (c *Config) RemoveSite(ctx context.Context, by object.Signature, name string) error {
	return c.update(ctx, by, "Remove site "+name, func(tx *store.Tx) error {
		if _, err := tx.Lookup(file(name)); err != nil {
			return fmt.Errorf("site %q: %w", name, err)
		}
		return tx.Remove(file(name))
	})
}

func (c *Config) update(ctx context.Context, by object.Signature, what string, f func(*store.Tx) error) error {
	return c.branch.Update(ctx, store.Change{Author: by, Message: what + "\n"}, func(tx *store.Tx) error {
		switch err := checkFormat(tx); {
		case errors.Is(err, fs.ErrNotExist):
			if err := tx.Put(formatFile, []byte(strconv.Itoa(Format)+"\n")); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		return f(tx)
	})
}

func putSite(tx *store.Tx, s Site) error {
	data, err := s.encode()
	if err != nil {
		return fmt.Errorf("site %q: %w", s.Name, err)
	}
	if err := tx.Put(file(s.Name), data); err != nil {
		return err
	}
	all, err := load(tx, nil)
	if err != nil {
		return err
	}
	return all.hostsOnce()
}

// snapshot returns the branch as it is now. Records that have not changed are
// not read again.
func (c *Config) snapshot(ctx context.Context) (*snapshot, error) {
	t, err := c.branch.Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return &snapshot{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || c.last.tree != t.Hash() {
		s, err := load(t, c.last)
		if err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
		if err := checkFormat(t); !errors.Is(err, fs.ErrNotExist) {
			s.format = err
		}
		s.tree = t.Hash()
		c.last = s
	}
	return c.last, c.last.format
}

// hostsOnce says which host name two sites claim.
func (s *snapshot) hostsOnce() error {
	owners := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.sites)) {
		if s.sites[name].err != nil {
			continue
		}
		for _, h := range s.sites[name].site.Hosts {
			if other, taken := owners[h]; taken {
				return fmt.Errorf("site %q: the host %q is %q's already", name, h, other)
			}
			owners[h] = name
		}
	}
	return nil
}

func file(name string) string { return path.Join(dir, name+".toml") }

// siteName returns whose record e is.
func siteName(e object.Entry) (string, bool) {
	name, ok := strings.CutSuffix(e.Name, ".toml")
	return name, ok && ValidName(name) && e.Mode.IsFile() && e.Mode != object.ModeSymlink
}
