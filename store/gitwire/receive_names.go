package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"cairn/store"
)

// separate refuses to create a ref where another is a folder, or the other way
// round: refs/heads/a and refs/heads/a/b cannot both be. A ref that the same push
// deletes is not in the way, unless the push is atomic; making reports that
// such deletions have to come first.
func (p *receiving) separate(ctx context.Context) (making bool, err error) {
	n := &refNames{backend: p.view.Backend, deleted: make(map[string]bool), created: make(map[string]bool)}
	creations := 0
	for _, c := range p.standing() {
		n.deleted[c.real] = c.New.IsZero() && !p.request.atomic
		if n.created[c.real] = c.Old.IsZero(); n.created[c.real] {
			creations++
		}
	}
	if creations > maxAsked {
		if err := n.list(ctx); err != nil {
			return false, err
		}
	}
	for _, c := range p.standing() {
		if !c.Old.IsZero() {
			continue
		}
		taken, err := n.taken(ctx, c.real)
		if err != nil {
			return false, err
		}
		if taken {
			c.refuse("cannot create " + shortRef(c.Name) + ": another ref stands in the way, " +
				"its name being a folder of the other's")
		}
	}
	return n.making, nil
}

// refNames answers whether a name is free for a ref.
type refNames struct {
	backend store.Backend
	deleted map[string]bool // names that will be free
	created map[string]bool // names that will not
	making  bool            // an answer counted on a deletion

	listed bool // all holds every ref's name, sorted
	all    []string
}

// maxAsked is for how many creations the backend is asked one by one. A backend
// with many refs may need long for each answer.
const maxAsked = 8

func (n *refNames) list(ctx context.Context) error {
	for ref, err := range n.backend.Refs(ctx, "refs/") {
		if err != nil {
			return fmt.Errorf("list refs: %w", err)
		}
		n.all = append(n.all, ref.Name)
	}
	n.listed = true
	return nil
}

// below yields the names of the refs in a folder, which ends in a slash.
func (n *refNames) below(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if !n.listed {
			for ref, err := range n.backend.Refs(ctx, folder) {
				if !yield(ref.Name, err) {
					return
				}
			}
			return
		}
		from, _ := slices.BinarySearch(n.all, folder)
		for _, name := range n.all[from:] {
			if !strings.HasPrefix(name, folder) || !yield(name, nil) {
				return
			}
		}
	}
}

// taken reports whether a ref stands where name needs a folder, or in the
// folder that name would be.
func (n *refNames) taken(ctx context.Context, name string) (bool, error) {
	for folder := path.Dir(name); strings.Contains(folder, "/"); folder = path.Dir(folder) {
		if n.created[folder] {
			return true, nil
		}
		if n.deleted[folder] {
			n.making = true
			continue
		}
		_, err := n.backend.Ref(ctx, folder)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("read ref %s: %w", folder, err)
		}
	}
	for ref, err := range n.below(ctx, name+"/") {
		if err != nil {
			return false, fmt.Errorf("list refs: %w", err)
		}
		if !n.deleted[ref] {
			return true, nil
		}
		n.making = true
	}
	return false, nil
}
