package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"cairn/services/caldav/past"
	"cairn/services/caldav/shelf"
	"cairn/store"
)

// errNothingToRestore ends an Update that would change nothing.
var errNothingToRestore = errors.New("it is now as it was then")

// bringBack makes calendars or contacts as they were at another time, in one new
// commit. What it will do is printed first; with dry, it is all that happens.
func bringBack(ctx context.Context, h home, term terminal, what, at string, dry bool) error {
	place, err := parseDavPlace(what)
	if err != nil {
		return err
	}
	when, err := parseWhen(at, time.Now())
	if err != nil {
		return fmt.Errorf("--at: %w", err)
	}
	return withHouse(ctx, h, func(house *house) error {
		if err := house.resolve(ctx, &place); err != nil {
			return err
		}
		tree, err := house.shelf.Branch(place.user).At(ctx, when)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s had nothing yet at %s: `cairn history %s` shows since when", place.user, when.Format(time.DateTime), place.user)
		}
		if err != nil {
			return err
		}
		then := house.shelf.View(place.user, tree)
		if err := house.foretell(ctx, term, place, then, when); err != nil || dry {
			return err
		}
		return house.restoreDav(ctx, term, place, then)
	})
}

// foretell prints what a restore will do.
func (h *house) foretell(ctx context.Context, term terminal, place davPlace, then *shelf.Snapshot, when time.Time) error {
	now, err := h.shelf.Snapshot(ctx, place.user)
	if err != nil {
		return err
	}
	was, err := holds(then, place.path)
	if err != nil {
		return err
	}
	if is, err := holds(now, place.path); err != nil || !is && !was {
		return errors.Join(err, fmt.Errorf("there is no %s, neither now nor at %s: `cairn history %s` shows what there was", place, when.Local().Format(time.DateTime), place.user))
	}
	deeds, err := past.Foretell(ctx, now, then, place.path)
	if err != nil {
		return err
	}
	rev, _ := then.Tree().Commit()
	fmt.Fprintf(term.out, "%s as it was at %s (commit %.10s of %s):\n", place, when.Local().Format(time.DateTime), rev.Hash, rev.Committer.When.Local().Format(time.DateTime))
	for _, d := range deeds {
		fmt.Fprintf(term.out, "  %s\n", d.Future())
	}
	if len(deeds) == 0 {
		return fmt.Errorf("%s: %w", place, errNothingToRestore)
	}
	return nil
}

// holds reports whether there is a collection or an entry; what names neither is there.
func holds(s *shelf.Snapshot, p shelf.Path) (bool, error) {
	if p.Collection == "" {
		return true, nil
	}
	c, err := s.Collection(p.Kind, p.Collection)
	if err == nil && p.Name != "" {
		_, err = c.Resource(p.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (h *house) restoreDav(ctx context.Context, term terminal, place davPlace, then *shelf.Snapshot) error {
	rev, _ := then.Tree().Commit()
	ch := store.Change{Author: operator(), Message: fmt.Sprintf("Restore %s as of %s\n\nFrom commit %s.\n", place, rev.Committer.When.UTC().Format(time.RFC3339), rev.Hash)}
	err := h.shelf.Update(ctx, ch, []string{place.user}, func(edits map[string]*shelf.Edit) error {
		return past.Restore(h.shelf, edits[place.user], then, place.path)
	})
	if taken, ok := errors.AsType[*shelf.UIDError](err); ok {
		return fmt.Errorf("%s cannot be brought back: %s holds the same entry by now", place, taken.Name)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(term.out, "Done, in one commit; devices see it at their next sync. `cairn history %s` shows it.\n", place)
	return err
}
