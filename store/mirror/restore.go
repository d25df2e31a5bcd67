package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/gitwire"
)

// ErrNotEmpty says that a repository is not restored over another.
var ErrNotEmpty = errors.New("there is a repository already")

// A Repository is what takes a backup's content.
type Repository interface {
	store.Backend
	store.Receiver
}

// Restore makes an empty repository what a backup holds, checked object by
// object. It returns the refs.
func Restore(ctx context.Context, from *gitwire.Remote, into Repository) ([]store.Ref, error) {
	for _, err := range into.Refs(ctx, "refs/") {
		if err == nil {
			err = ErrNotEmpty
		}
		return nil, err
	}
	refs, err := fetch(ctx, from, into)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, fmt.Errorf("restore from %s: it is empty", from)
	}
	changes := make([]store.RefChange, len(refs))
	for i, r := range refs {
		changes[i] = store.RefChange{Name: r.Name, New: r.Hash}
	}
	if err := into.Commit(ctx, nil, changes); err != nil {
		return nil, fmt.Errorf("restore from %s: %w", from, err)
	}
	return refs, nil
}

// fetch brings everything, and lists it.
func fetch(ctx context.Context, from *gitwire.Remote, into Repository) ([]store.Ref, error) {
	got, err := from.Fetch(ctx, gitwire.FetchRequest{Into: into, Prefixes: []string{"refs/"}})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(got.Refs, func(r store.Ref) bool { return r.Name == "HEAD" }), nil
}

// A Report says how a backup compares to the repository.
type Report struct {
	Same    int      // refs that are alike
	Behind  []string // refs that stand there at an earlier state of this repository
	Missing []string // refs that are not there
	Foreign []string // refs there that this repository knows nothing of
}

// OK reports whether the backup would restore to what is here.
func (r Report) OK() bool { return len(r.Behind)+len(r.Missing)+len(r.Foreign) == 0 }

// Verify restores a backup into an empty repository, which may be one in memory, and
// compares. The error says that it cannot be restored.
func Verify(ctx context.Context, b store.Backend, backup *gitwire.Remote, into Repository) (Report, error) {
	there, err := fetch(ctx, backup, into)
	if err != nil {
		return Report{}, err
	}
	return compare(ctx, b, there)
}

// Compare is Verify without restoring: it looks only at where the refs are.
func Compare(ctx context.Context, b store.Backend, backup *gitwire.Remote) (Report, error) {
	there, err := backup.Refs(ctx, "refs/")
	if err != nil {
		return Report{}, err
	}
	return compare(ctx, b, there)
}

func compare(ctx context.Context, b store.Backend, there []store.Ref) (Report, error) {
	here, err := refs(ctx, b, nil)
	if err != nil {
		return Report{}, err
	}
	var r Report
	for _, ref := range there {
		h, ok := here[ref.Name]
		delete(here, ref.Name)
		switch _, _, err := b.Stat(ctx, ref.Hash); {
		case h == ref.Hash:
			r.Same++
		case ok && err == nil:
			r.Behind = append(r.Behind, ref.Name)
		default:
			r.Foreign = append(r.Foreign, ref.Name)
		}
	}
	for name := range here {
		r.Missing = append(r.Missing, name)
	}
	slices.Sort(r.Missing)
	return r, nil
}
