package store

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"cairn/store/object"
)

// Options are a Repo's settings.
type Options struct {
	// Committer is the software that makes the commits. Default: Cairn
	// <cairn@localhost>. Its When is ignored.
	Committer object.Signature
	// Signer signs every commit that the Repo makes. Default: none does.
	Signer Signer
	// Replica goes into each commit that the Repo makes, as the header "replica" with
	// a space and a random number in hex behind it, so that nobody ever makes the same
	// commit, nor the Repo twice. Default: what the Backend says, if it is Replicated;
	// else there is no such header.
	Replica string
	// CacheBytes bounds what is kept in memory of trees, small files and
	// commits. Default: 64 MiB.
	CacheBytes int64
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// A Signer signs commits.
type Signer interface {
	// Sign returns the armored signature of a commit's bytes, as git keeps it
	// in the gpgsig header.
	Sign(commit []byte) (string, error)
}

// A Repo is a set of branches over a Backend. There should be one Repo for a
// Backend in a process: two work, but do not share cache and commits. Safe for
// concurrent use.
type Repo struct {
	backend Backend
	options Options
	read    *reader
	pending *pending

	// The rest is about updates: see batch.go.
	mu         sync.Mutex
	lines      map[string]*line
	waiting    []*update     // have run and wait for the next commit
	committing bool          // somebody leads
	users      int           // Updates that have entered
	took       time.Duration // the last commit
	vain       int           // see gather
	stirred    chan struct{} // somebody has joined or left
}

// New returns the Repo over a backend.
func New(b Backend, o Options) *Repo {
	if o.Committer == (object.Signature{}) {
		o.Committer = object.Signature{Name: "Cairn", Email: "cairn@localhost"}
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if b, ok := b.(Replicated); ok && o.Replica == "" {
		o.Replica = b.Replica()
	}
	p := &pending{}
	return &Repo{
		backend: b,
		options: o,
		read:    &reader{objs: b, cache: newCache(o.CacheBytes), pending: p},
		pending: p,
		lines:   map[string]*line{},
		stirred: make(chan struct{}, 1),
	}
}

// Backend returns what the Repo stands on.
func (r *Repo) Backend() Backend { return r.backend }

// Cached is how many bytes are kept of it for quick answers, at most Options.CacheBytes.
func (r *Repo) Cached() int64 { return r.read.cache.bytes() }

// Tree returns the snapshot that h names: a commit, a tree or a tag of one.
// Absent is fs.ErrNotExist.
func (r *Repo) Tree(ctx context.Context, h Hash) (*Tree, error) {
	return newTree(ctx, r.read, h)
}

// Branch returns the branch of this name, whether or not it exists:
// "site/www/main" is refs/heads/site/www/main.
func (r *Repo) Branch(name string) *Branch {
	return &Branch{repo: r, name: name}
}

const heads = "refs/heads/"

// Branches yields the branches whose names begin with prefix, sorted by name.
func (r *Repo) Branches(ctx context.Context, prefix string) iter.Seq2[*Branch, error] {
	return func(yield func(*Branch, error) bool) {
		for ref, err := range r.backend.Refs(ctx, heads+prefix) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(r.Branch(strings.TrimPrefix(ref.Name, heads)), nil) {
				return
			}
		}
	}
}
