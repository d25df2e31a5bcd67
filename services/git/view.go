package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"cairn/services/accounts"
	"cairn/store"
	"cairn/store/gitwire"
)

// open makes the view of one URL for one user, nil for somebody who has not
// logged in. fs.ErrNotExist stands for what is not there and for what the user
// may not know of; somebody not logged in is asked to do so instead, whether or
// not there is anything to see.
func (s *Service) open(ctx context.Context, u *accounts.User, path string, write bool) (*gitwire.View, error) {
	p, ok := parsePlace(path)
	var r rights
	if ok {
		var err error
		if r, err = s.rights(ctx, u, p); err != nil {
			return nil, err
		}
	}
	switch {
	case write && r.write, !write && r.read:
		return s.view(ctx, u, p, r, write)
	case u == nil:
		return nil, gitwire.ErrUnauthorized
	case r.read:
		return nil, fmt.Errorf("push to %s: %w", path, fs.ErrPermission)
	default:
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
}

func (s *Service) view(ctx context.Context, u *accounts.User, p place, r rights, write bool) (*gitwire.View, error) {
	v := &gitwire.View{
		Backend: s.Repo.Backend(),
		Limits:  s.Limits,
		Real: func(shown string) (string, error) {
			real, ok := p.real(shown)
			if !ok {
				return "", p.nameError(shown)
			}
			return real, nil
		},
		Refs: func(ctx context.Context) ([]store.Ref, error) {
			if r.make && !r.read {
				return nil, nil // if somebody makes it meanwhile, it is his
			}
			return s.shown(ctx, p)
		},
	}
	if u != nil {
		v.User = u.Name
	}
	if write {
		push := &push{service: s, place: p, user: u}
		v.Allow, v.Accept, v.Done = push.allow, push.accept, push.done
	}
	refs, err := v.Refs(ctx)
	v.Head = head(p, refs)
	return v, err
}

// nameError says which names of refs there are at a place.
func (p place) nameError(shown string) error {
	switch p.kind {
	case all:
		return errors.New("nothing is kept under this name")
	case Site:
		return errors.New("a site has branches (refs/heads/…) and tags (refs/tags/…) only")
	default:
		return errors.New("there is one branch here, main")
	}
}

// head is what HEAD points to: main, or where there is no main the only branch.
func head(p place, refs []store.Ref) string {
	if p.kind == all {
		return ""
	}
	branches := slices.DeleteFunc(slices.Clone(refs), func(r store.Ref) bool { return !isBranch(r.Name) })
	if len(branches) == 1 {
		return branches[0].Name
	}
	return main
}

// shown lists the refs of a place by their shown names, sorted.
func (s *Service) shown(ctx context.Context, p place) ([]store.Ref, error) {
	var refs []store.Ref
	for ref, err := range s.refs(ctx, p) {
		if err != nil {
			return nil, err
		}
		if shown, ok := p.shown(ref.Name); ok {
			refs = append(refs, store.Ref{Name: shown, Hash: ref.Hash})
		}
	}
	return refs, nil
}

// refs yields the refs of a place by their names in the repository, sorted.
func (s *Service) refs(ctx context.Context, p place) iter.Seq2[store.Ref, error] {
	return func(yield func(store.Ref, error) bool) {
		for _, prefix := range p.listed() {
			for ref, err := range s.Repo.Backend().Refs(ctx, prefix) {
				if err == nil && ref.Hash.IsZero() {
					continue // symbolic, its target not born
				}
				if !yield(ref, err) || err != nil {
					return
				}
			}
		}
	}
}

// listed returns the prefixes under which the refs of a place are found.
func (p place) listed() []string {
	switch p.kind {
	case all:
		return []string{"refs/"}
	case Site:
		branches, tagged := p.prefixes()
		return []string{branches, tagged}
	default:
		return []string{heads + p.branch()}
	}
}

func isBranch(shown string) bool { return strings.HasPrefix(shown, heads) }
