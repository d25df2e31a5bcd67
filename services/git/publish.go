package git

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
)

// How much a pusher is told: addresses, and files counted for each.
const (
	maxTold    = 20
	maxCounted = 10000
)

// done tells the pusher where to look.
func (p *push) done(ctx context.Context, w *gitwire.Push) {
	took := time.Since(p.begun).Milliseconds()
	told, more := 0, 0
	for _, c := range w.Commands {
		at, shown, err := p.at(c.Name)
		if err != nil || at.kind != Site || !isBranch(shown) || p.service.URL == nil {
			continue
		}
		url := p.service.URL(at.name, strings.TrimPrefix(shown, heads))
		switch {
		case url == "":
		case told == maxTold:
			more++
		case c.New.IsZero():
			fmt.Fprintf(w.Progress, "removed %s\n", url)
			told++
		default:
			fmt.Fprintf(w.Progress, "published %s (%s changed) in %d ms\n", url, p.service.changed(ctx, c), took)
			told++
		}
	}
	if more > 0 {
		fmt.Fprintf(w.Progress, "and %d more\n", more)
	}
}

// changed says how many files are different after a command.
func (s *Service) changed(ctx context.Context, c gitwire.Command) string {
	n, err := s.count(ctx, c)
	switch {
	case err != nil:
		return "files" // it is published all the same
	case n == 1:
		return "1 file"
	case n > maxCounted:
		return fmt.Sprintf("more than %d files", maxCounted)
	default:
		return fmt.Sprintf("%d files", n)
	}
}

func (s *Service) count(ctx context.Context, c gitwire.Command) (int, error) {
	tree, err := s.Repo.Tree(ctx, c.New)
	if err != nil {
		return 0, err
	}
	var old *store.Tree // empty when the branch is new
	if !c.Old.IsZero() {
		if old, err = s.Repo.Tree(ctx, c.Old); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, err := range old.Diff(ctx, tree) {
		if err != nil {
			return n, err
		}
		if n++; n > maxCounted {
			break
		}
	}
	return n, nil
}
