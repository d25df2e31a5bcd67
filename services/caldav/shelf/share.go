package shelf

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cairn/store"
)

// A Shared is a collection that somebody shares.
type Shared struct {
	Owner  string
	Kind   Kind
	Name   string
	Access Access
}

// branchShares is what the branch of one person shares at one commit.
type branchShares struct {
	tip    store.Hash
	shares map[string][]Shared // by user
}

// SharedWith returns the collections that others share with a user, in the order
// of their owners and names. It looks again only at those whose branch has moved.
func (s *Shelf) SharedWith(ctx context.Context, user string) ([]Shared, error) {
	var list []Shared
	seen := map[string]bool{}
	for ref, err := range s.repo.Backend().Refs(ctx, "refs/heads/"+branches) {
		if err != nil {
			return nil, fmt.Errorf("shares with %q: %w", user, err)
		}
		owner := strings.TrimPrefix(ref.Name, "refs/heads/"+branches)
		seen[owner] = true
		if owner == user {
			continue
		}
		b, err := s.sharesOf(ctx, owner, ref.Hash)
		if err != nil {
			return nil, err
		}
		list = append(list, b.shares[user]...)
	}
	s.forget(seen)
	return list, nil
}

func (s *Shelf) sharesOf(ctx context.Context, owner string, tip store.Hash) (branchShares, error) {
	s.mu.Lock()
	b, ok := s.shared[owner]
	s.mu.Unlock()
	if ok && b.tip == tip {
		return b, nil
	}
	t, err := s.repo.Tree(ctx, tip)
	if err != nil {
		return b, fmt.Errorf("shares of %q: %w", owner, err)
	}
	b = branchShares{tip: tip, shares: map[string][]Shared{}}
	snap := s.View(owner, t)
	for _, kind := range []Kind{Calendars, Contacts} {
		list, err := snap.Collections(kind)
		if err != nil {
			return b, err
		}
		for _, c := range list {
			for user, access := range c.props.Shares {
				b.shares[user] = append(b.shares[user], Shared{owner, kind, c.Name, access})
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared[owner] = b
	return b, nil
}

// forget drops what is known of branches that are no more.
func (s *Shelf) forget(seen map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner := range s.shared {
		if !seen[owner] {
			delete(s.shared, owner)
		}
	}
}

// Access returns what a share allows a user to do with a collection.
func (c *Collection) Access(user string) Access { return c.props.Shares[user] }

// Users returns whom the collection is shared with, in order.
func (p *Props) Users() []string {
	users := make([]string, 0, len(p.Shares))
	for user := range p.Shares {
		users = append(users, user)
	}
	slices.Sort(users)
	return users
}
