package dav

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/past"
	"cairn/services/caldav/shelf"
	"cairn/services/self"
	"cairn/store"
)

// Told is one commit on a person's branch, in words.
type Told struct {
	store.Revision
	Words string      // what was done, or the commit's subject where that was nothing to calendars and contacts
	Deeds []past.Deed // empty for that
}

// History yields the commits of a person's branch that did something at a path, from new to old, until
// more returns false. A person who has no branch yet has no history.
func History(ctx context.Context, s *shelf.Shelf, user string, in shelf.Path, more func(Told) bool) error {
	for rev, err := range s.Branch(user).Log(ctx, string(in.Kind)) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		before, after, err := sides(ctx, s, user, rev)
		if err != nil {
			return err
		}
		deeds, err := past.Deeds(ctx, before, after, in)
		if err != nil {
			return err
		}
		if len(deeds) == 0 && in != (shelf.Path{}) {
			continue // locks, say
		}
		words := past.Words(deeds)
		if words == "" {
			words, _, _ = strings.Cut(subject(rev.Message), "\n")
		}
		if !more(Told{rev, words, deeds}) {
			return nil
		}
	}
	return nil
}

// sides are what a person had before and after a commit.
func sides(ctx context.Context, s *shelf.Shelf, user string, rev store.Revision) (before, after *shelf.Snapshot, err error) {
	tree, err := s.Repo().Tree(ctx, rev.Hash)
	if err != nil {
		return nil, nil, err
	}
	was := new(store.Tree)
	if len(rev.Parents) > 0 {
		if was, err = s.Repo().Tree(ctx, rev.Parents[0]); err != nil {
			return nil, nil, err
		}
	}
	return s.View(user, was), s.View(user, tree), nil
}

// Changes implements self.Collections.
func (c *collections) Changes(ctx context.Context, u *accounts.User, n int) ([]self.Change, error) {
	var list []self.Change
	err := History(ctx, c.shelf, u.Name, shelf.Path{}, func(t Told) bool {
		ch := self.Change{ID: t.Hash.String(), When: t.Committer.When, What: t.Words, Undo: len(t.Deeds) > 0}
		if me := u.Signature(); t.Author.Email != me.Email {
			ch.Who = t.Author.Name
		}
		list = append(list, ch)
		return len(list) < n
	})
	return list, err
}

// Undo implements self.Collections.
func (c *collections) Undo(ctx context.Context, u *accounts.User, change string) error {
	rev, err := c.find(ctx, u.Name, change)
	if err != nil {
		return err
	}
	before, after, err := sides(ctx, c.shelf, u.Name, rev)
	if err != nil {
		return err
	}
	deeds, err := past.Deeds(ctx, before, after, shelf.Path{})
	if err != nil {
		return err
	}
	err = c.update(ctx, u, "Undo: "+past.Words(deeds), func(e *shelf.Edit) error {
		return past.Undo(ctx, c.shelf, e, before, after)
	})
	if errors.Is(err, past.ErrChanged) {
		return &self.Refusal{Text: "That cannot be taken back any more: the same was changed again since."}
	}
	if _, ok := errors.AsType[*shelf.UIDError](err); ok {
		return &self.Refusal{Text: "That cannot be taken back any more: there is a newer copy of the same entry."}
	}
	return err
}

// find returns the commit of a person's branch that is called so.
func (c *collections) find(ctx context.Context, user, hash string) (store.Revision, error) {
	for rev, err := range c.shelf.Branch(user).Log(ctx, "") {
		if err != nil || rev.Hash.String() == hash {
			return rev, err
		}
	}
	return store.Revision{}, fmt.Errorf("change %q: %w", hash, fs.ErrNotExist)
}
