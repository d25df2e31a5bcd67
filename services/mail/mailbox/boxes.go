package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// Options are the settings of Boxes.
type Options struct {
	Now        func() time.Time // the clock; required
	CacheBytes int64            // of memory for what is remembered of mailboxes; default 32 MiB

	// Quota says how much a user may have. Default: no limit.
	Quota func(user string) Quota

	// Hide says which fields are not served of a message that somebody has put in by hand, as New.Hide
	// does of others. Default: none.
	Hide func(raw []byte) []Span
}

// Boxes keep the mail of everybody in a repository. Safe for concurrent use.
type Boxes struct {
	repo *store.Repo
	o    Options

	folders  *cache[store.Hash, *folder]
	listings *cache[store.Hash, *listing]
	contents *cache[contentKey, *content] // as each mailbox was seen last
	pushes   pushes

	takeAtOnce int // see settle.go
}

// Open returns the Boxes of a repository.
func Open(repo *store.Repo, o Options) *Boxes {
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.Quota == nil {
		o.Quota = func(string) Quota { return Quota{} }
	}
	if o.Hide == nil {
		o.Hide = func([]byte) []Span { return nil }
	}
	return &Boxes{
		repo:     repo,
		o:        o,
		folders:  newCache[store.Hash, *folder](o.CacheBytes / 16),
		listings: newCache[store.Hash, *listing](o.CacheBytes / 16),
		contents: newCache[contentKey, *content](o.CacheBytes * 7 / 8),
		pushes:   pushes{users: map[string]bool{}, wake: make(chan struct{}, 1)},

		takeAtOnce: takeAtOnce,
	}
}

// Repo returns the repository.
func (b *Boxes) Repo() *store.Repo { return b.repo }

const branches = "mail/"

// BranchName is the name of the branch on which a user's mail lies, such as mail/alice.
func BranchName(user string) string { return branches + user }

func checkUser(user string) error {
	if strings.Contains(user, "/") || !object.ValidRefName("refs/heads/"+BranchName(user)) {
		return fmt.Errorf("user %q: %w", user, fs.ErrInvalid)
	}
	return nil
}

// Box returns the mail of a user, who need not have any yet.
func (b *Boxes) Box(user string) *Box { return &Box{boxes: b, user: user} }

// Update changes a user's mail in one commit: f edits, and when Update returns nil what it did is durable.
// f may run several times, when somebody else was first. When it makes no difference there is no commit.
func (b *Boxes) Update(ctx context.Context, ch store.Change, user string, f func(*Edit) error) error {
	if err := checkUser(user); err != nil {
		return err
	}
	return b.Box(user).Branch().Update(ctx, ch, func(tx *store.Tx) error { return b.Edit(tx, user, f) })
}

// Edit lets f change a user's mail within an Update of several branches (store.Repo.Update): tx is that of
// the branch BranchName(user). What f did is in tx when Edit returns nil. An error leaves tx half
// changed: the function of the Update has to return one then, too. One Tx may be edited several times, one after another.
func (b *Boxes) Edit(tx *store.Tx, user string, f func(*Edit) error) error {
	e, err := b.edit(tx, user)
	if err == nil {
		err = f(e)
	}
	if err == nil {
		err = e.flush()
	}
	return err
}

// A Box is the mail of one user.
type Box struct {
	boxes *Boxes
	user  string
}

// User returns whose mail it is.
func (b *Box) User() string { return b.user }

// Branch returns the branch on which it lies.
func (b *Box) Branch() *store.Branch { return b.boxes.repo.Branch(BranchName(b.user)) }

// Snapshot returns what there is now. A user without mail has the default mailboxes: reading never writes.
func (b *Box) Snapshot(ctx context.Context) (*Snapshot, error) {
	if err := checkUser(b.user); err != nil {
		return nil, err
	}
	t, err := b.Branch().Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		t, err = new(store.Tree), nil
	}
	if err != nil {
		return nil, err
	}
	return b.boxes.snapshot(b.user, t)
}

// View is Snapshot of other content of the branch, an older one perhaps (store.Branch.At).
func (b *Box) View(t *store.Tree) (*Snapshot, error) { return b.boxes.snapshot(b.user, t) }

// Watch yields the Snapshot now and then each newer one, as soon as it is known, whoever made it: a delivery,
// another session, git push. Of several that come while the loop's body runs it yields the last. It ends
// after an error, or without one when ctx ends.
func (b *Box) Watch(ctx context.Context) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		first, err := b.Snapshot(ctx)
		if err != nil || first.tree.Hash() == new(store.Tree).Hash() {
			if !yield(first, err) || err != nil {
				return
			}
		}
		for t, err := range b.Branch().Watch(ctx) {
			var s *Snapshot
			if err == nil {
				s, err = b.View(t)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}
