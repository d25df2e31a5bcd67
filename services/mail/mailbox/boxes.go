package mailbox

import (
	"context"
	"errors"
	"iter"
	"time"

	"cairn/store"
)

// Options are the settings of Boxes.
type Options struct {
	Now        func() time.Time // the clock; required
	CacheBytes int64            // of memory for what is remembered of mailboxes; default 32 MiB

	// Quota says how much a user may have. Default: no limit.
	Quota func(user string) Quota
}

// A Quota is how much a user may have; zero fields are no limit.
type Quota struct {
	Bytes    int64
	Messages int64
}

// Boxes keep the mail of everybody in a repository. Safe for concurrent use.
type Boxes struct {
	repo *store.Repo
	o    Options
}

// Open returns the Boxes of a repository.
func Open(repo *store.Repo, o Options) *Boxes { return &Boxes{repo: repo, o: o} }

// Repo returns the repository.
func (b *Boxes) Repo() *store.Repo { return b.repo }

// BranchName is the name of the branch on which a user's mail lies, such as mail/alice.
func BranchName(user string) string { return "mail/" + user }

// Box returns the mail of a user, who need not have any yet.
func (b *Boxes) Box(user string) *Box { return &Box{boxes: b, user: user} }

// Update changes a user's mail in one commit: f edits, and when Update returns nil what it did is durable.
// f may run several times, when somebody else was first. When it makes no difference there is no commit.
func (b *Boxes) Update(ctx context.Context, ch store.Change, user string, f func(*Edit) error) error {
	return errStub
}

// Edit lets f change a user's mail within an Update of several branches (store.Repo.Update): tx is that of
// the branch BranchName(user). What f did is in tx when Edit returns nil. An error leaves tx half
// changed: the function of the Update has to return one then, too.
func (b *Boxes) Edit(tx *store.Tx, user string, f func(*Edit) error) error { return errStub }

// Prune forgets what a user's mail was before olderThan: the branch's history begins there. What only the
// older history held (deleted messages) is freed when the repository is next pruned.
func (b *Boxes) Prune(ctx context.Context, ch store.Change, user string, olderThan time.Time) error {
	return errStub
}

var errStub = errors.New("not there yet")

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
func (b *Box) Snapshot(ctx context.Context) (*Snapshot, error) { return nil, errStub }

// Watch yields the Snapshot now and then each newer one, as soon as it is known, whoever made it: a delivery,
// another session, git push. Of several that come while the loop's body runs it yields the last. It ends
// after an error, or without one when ctx ends.
func (b *Box) Watch(ctx context.Context) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {}
}
