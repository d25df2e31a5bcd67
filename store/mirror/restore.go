package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	before, err := refs(ctx, b, nil)
	if err != nil {
		return Report{}, err
	}
	there, err := fetch(ctx, backup, into)
	if err != nil {
		return Report{}, err
	}
	return compare(ctx, b, there, before)
}

// Compare is Verify without restoring: it looks only at where the refs are.
func Compare(ctx context.Context, b store.Backend, backup *gitwire.Remote) (Report, error) {
	before, err := refs(ctx, b, nil)
	if err != nil {
		return Report{}, err
	}
	there, err := backup.Refs(ctx, "refs/")
	if err != nil {
		return Report{}, err
	}
	return compare(ctx, b, there, before)
}

// compare holds a backup's refs against those that are here. What has moved since before
// the backup was asked may be as it was.
func compare(ctx context.Context, b store.Backend, there []store.Ref, before map[string]store.Hash) (Report, error) {
	here, err := refs(ctx, b, nil)
	if err != nil {
		return Report{}, err
	}
	var r Report
	for _, ref := range there {
		now, old := here[ref.Name], before[ref.Name]
		delete(here, ref.Name)
		delete(before, ref.Name)
		if ref.Hash == now || ref.Hash == old {
			r.Same++
			continue
		}
		_, _, err := b.Stat(ctx, ref.Hash)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.Foreign = append(r.Foreign, ref.Name)
		case err != nil:
			return Report{}, err
		default:
			r.Behind = append(r.Behind, ref.Name)
		}
	}
	for name := range here {
		if _, ok := before[name]; ok {
			r.Missing = append(r.Missing, name)
		}
	}
	slices.Sort(r.Missing)
	return r, nil
}
