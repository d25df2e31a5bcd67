package wire

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
)

// push measures the push of one commit onto a history of 10,000, to two
// copies of one repository.
func (b *bench) push(ctx context.Context, dir string, size int) error {
	corpus := stock.Corpus{Files: size, Size: 200}
	var history stock.Stream
	history.Tree(corpus)
	for _, e := range corpus.Edits(b.room.Share(10_000), 1) {
		history.Commit(e)
	}
	client, err := stock.New(ctx, filepath.Join(dir, "client"), history.Data)
	if err != nil {
		return err
	}
	for _, kind := range []string{cairn, git} {
		if err := os.CopyFS(filepath.Join(dir, kind), os.DirFS(client.Dir)); err != nil {
			return err
		}
	}
	ours, theirs, stop, err := pair(ctx, filepath.Join(dir, cairn), filepath.Join(dir, git))
	if err != nil {
		return err
	}
	defer stop()

	t := turns{client: client, edits: corpus.Edits(4*b.room.Rounds+2, 2)}
	to := func(s *server) func() (float64, error) {
		return func() (float64, error) {
			if _, err := t.next(ctx, s.url); err != nil {
				return 0, err
			}
			began := time.Now()
			err := push(ctx, client, s.url)
			return time.Since(began).Seconds(), err
		}
	}
	if _, _, err := measure.InTurn(2, to(ours), to(theirs)); err != nil { // now both are warm
		return err
	}
	took, peer, err := measure.InTurn(4*b.room.Rounds, to(ours), to(theirs))
	b.add("push of a commit onto 10,000", size, measure.Seconds, took, peer, measure.Goal{Ratio: 1})
	return err
}

// turns hands out one commit to each who takes turns, then makes the next.
type turns struct {
	client stock.Git
	edits  []stock.Edit
	had    map[string]bool
	round  int
}

// next returns the edit that main's last commit makes; who has not pushed it yet.
func (t *turns) next(ctx context.Context, who string) (stock.Edit, error) {
	if t.had == nil || t.had[who] {
		t.had = map[string]bool{}
		if err := edit(ctx, t.client, t.edits[t.round]); err != nil {
			return stock.Edit{}, err
		}
		t.round++
	}
	t.had[who] = true
	return t.edits[t.round-1], nil
}

// push pushes main in one request of known length: net/http/cgi takes no other.
func push(ctx context.Context, client stock.Git, url string) error {
	_, err := client.Run(ctx, nil, "-c", "http.postBuffer=1073741824", "push", "-q", url, "main")
	return err
}

// edit commits to main of a bare repository.
func edit(ctx context.Context, g stock.Git, e stock.Edit) error {
	var s stock.Stream
	s.Continue()
	s.Commit(e)
	if err := g.Import(ctx, s.Data); err != nil {
		return fmt.Errorf("make a commit: %w", err)
	}
	return nil
}
