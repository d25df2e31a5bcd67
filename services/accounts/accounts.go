// Package accounts knows who may log in. It keeps them on one branch, a file
// users/<name>.toml each:
//
//	name = "Alice Liddell"                 # as it stands in commits; optional
//	addresses = ["alice@example.org"]      # optional; she may log in by them, too
//	admin = true                           # may do everything; false when absent
//	sites = true                           # may make sites; false when absent
//	password = "$argon2id$v=19$m=19456,t=2,p=1$…$…"
//	ssh_keys = ["ssh-ed25519 AAAA… laptop"]
//	openpgp_keys = ["-----BEGIN PGP PUBLIC KEY BLOCK-----…"]
//
//	[[app_password]]
//	name = "phone"
//	created = 2026-11-21T12:00:00Z
//	keys = "SCRAM-SHA-256$4096:…$…:…"      # RFC 5803
//
// Administrators may edit these files and push them; Check says what a push must
// satisfy. Unknown keys are refused in a push and left alone when reading, but
// lost when Accounts itself writes the record, as are comments.
//
// Log-ins are answered from memory: the branch is read again only when it has
// moved, and a password once verified is not hashed again while its user's
// record stays as it is.
//
// # Caveats
//
// Tallies of wrong guesses and verified passwords live in memory, so a restart
// forgets them. Somebody who guesses at a user from the same address (a /32 of
// IPv4, a /64 of IPv6) makes that user wait there too. A flood of guesses from very many
// addresses makes those wait for the processor whose password is not remembered.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"cairn/store"
	"cairn/store/object"

	"golang.org/x/sync/singleflight"
)

// Accounts are the users of one branch. Safe for concurrent use.
type Accounts struct {
	// Granted returns the e-mail addresses that a user has without their standing in the record, such as
	// NAME@DOMAIN of the domains whose mail is served. It is set before the first use. Nil: there are none.
	Granted func(ctx context.Context, name string) []string

	branch *store.Branch
	hasher *hasher
	limit  *limiter
	secret [32]byte // keys the cache of verified passwords; new in each process
	flight singleflight.Group

	mu       sync.Mutex // guards what is below
	last     *snapshot
	verified *recent[[32]byte, struct{}]
}

// A snapshot is the branch at one moment. Nobody changes it.
type snapshot struct {
	tree  store.Hash
	users map[string]entry
	keys  map[string]string // SSH public key in wire format → user
	mail  map[string]string // e-mail address as foldAddress has it → user, "" for one that two claim
}

// An entry is one user's file.
type entry struct {
	blob   store.Hash
	record *record // nil when err is not
	err    error   // what is wrong with the file
}

// dir is the folder with the records.
const dir = "users"

// maxVerified is how many verified passwords are remembered, at least.
const maxVerified = 4096

// New returns the users kept on b, which need not exist yet.
func New(b *store.Branch) *Accounts {
	return &Accounts{
		branch:   b,
		hasher:   newHasher(),
		limit:    newLimiter(),
		secret:   newSecret(),
		verified: newRecent[[32]byte, struct{}](maxVerified),
	}
}

// User returns one user by name; absent is fs.ErrNotExist.
func (a *Accounts) User(ctx context.Context, name string) (*User, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := s.users[name]
	if !ok {
		return nil, fmt.Errorf("user %q: %w", name, fs.ErrNotExist)
	}
	if e.err != nil {
		return nil, fmt.Errorf("user %q: %w", name, e.err)
	}
	return a.with(ctx, s, &e.record.User), nil
}

// Users returns all users in the order of their names. A file that cannot be
// read, which no push and no method here makes, is an error beside the others.
func (a *Accounts) Users(ctx context.Context) ([]*User, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var users []*User
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		if e := s.users[name]; e.err != nil {
			err = errors.Join(err, fmt.Errorf("user %q: %w", name, e.err))
		} else {
			users = append(users, a.with(ctx, s, &e.record.User))
		}
	}
	return users, err
}

// snapshot returns the branch as it is now. Records that have not changed are
// not read again.
func (a *Accounts) snapshot(ctx context.Context) (*snapshot, error) {
	t, err := a.branch.Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return &snapshot{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last != nil && a.last.tree == t.Hash() {
		return a.last, nil
	}
	s, err := load(t, a.last)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	s.tree = t.Hash()
	a.last = s
	return s, nil
}

// files is what a store.Tree and a store.Tx have in common.
type files interface {
	Entries(dir string) iter.Seq2[object.Entry, error]
	Blob(path string) ([]byte, store.Hash, error)
}

// load reads t. Records whose file is the same in before are taken from there.
func load(t files, before *snapshot) (*snapshot, error) {
	s := &snapshot{users: map[string]entry{}, keys: map[string]string{}, mail: map[string]string{}}
	for e, err := range t.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		name, ok := userName(e)
		if !ok {
			continue
		}
		if before != nil && before.users[name].blob == e.Hash {
			s.users[name] = before.users[name]
			continue
		}
		data, _, err := t.Blob(file(name))
		if err != nil && !errors.Is(err, store.ErrTooLarge) {
			return nil, err
		}
		var r *record
		if err == nil {
			r, err = decode(name, data, false)
		}
		if err != nil {
			r = nil
		}
		s.users[name] = entry{e.Hash, r, err}
	}
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		if r := s.users[name].record; r != nil {
			s.addKeys(r)
			s.addAddresses(r)
		}
	}
	return s, nil
}

// addKeys notes whose r's SSH keys are. One that two users claim, which no push
// makes, is the first one's.
func (s *snapshot) addKeys(r *record) {
	for _, line := range r.SSHKeys {
		k, err := ParseKey(line)
		if err != nil {
			continue // decode has checked it
		}
		if _, taken := s.keys[string(k.Marshal())]; !taken {
			s.keys[string(k.Marshal())] = r.Name
		}
	}
}

// userName returns whose record e is.
func userName(e object.Entry) (string, bool) {
	name, ok := strings.CutSuffix(e.Name, ".toml")
	return name, ok && ValidName(name) && e.Mode.IsFile() && e.Mode != object.ModeSymlink
}

func file(name string) string { return path.Join(dir, name+".toml") }
