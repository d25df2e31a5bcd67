package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
)

// fileBytes is the size of the files that are cloned: 100,000 are 200 MB.
const fileBytes = 2000

// clone measures clones of two repositories, each served by both: one that git
// has packed, and one as updates and the merging of packs have left it.
func (b *bench) clone(ctx context.Context, dir string, size int) error {
	corpus := stock.Corpus{Files: size, Size: fileBytes}
	var history stock.Stream
	history.Tree(corpus)
	packed, err := stock.New(ctx, filepath.Join(dir, "packed"), history.Data)
	if err != nil {
		return err
	}
	updated := stock.Git{Dir: filepath.Join(dir, "updated")}
	if err := update(ctx, updated.Dir, corpus); err != nil {
		return err
	}
	for _, c := range []struct {
		state string
		repo  stock.Git
	}{
		{"packed by git", packed},
		{"written by updates", updated},
	} {
		if err := b.clones(ctx, c.repo, dir, size, c.state); err != nil {
			return fmt.Errorf("%s: %w", c.state, err)
		}
	}
	return nil
}

// update makes the files in 100 commits, one folder after another.
func update(ctx context.Context, dir string, c stock.Corpus) error {
	if err := gitdir.Init(dir); err != nil {
		return err
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	main := store.New(d, store.Options{}).Branch("main")
	var some []stock.Edit
	put := func(tx *store.Tx) error {
		for _, e := range some {
			if err := tx.Put(e.Path, e.Data); err != nil {
				return err
			}
		}
		return nil
	}
	for e := range c.ByFolder {
		if some = append(some, e); len(some) < c.Files/100 {
			continue
		}
		if err := main.Update(ctx, store.Change{Message: "add"}, put); err != nil {
			return err
		}
		some = some[:0]
	}
	if err := main.Update(ctx, store.Change{Message: "add"}, put); err != nil {
		return err
	}
	return d.Maintain(ctx)
}

func (b *bench) clones(ctx context.Context, repo stock.Git, dir string, size int, state string) error {
	tip, err := repo.Run(ctx, nil, "rev-parse", "refs/heads/main")
	if err != nil {
		return err
	}
	ours, theirs, stop, err := pair(ctx, repo.Dir, repo.Dir)
	if err != nil {
		return err
	}
	defer stop()
	for _, c := range []struct {
		work string
		run  func(*server) (float64, error)
		goal measure.Goal
	}{
		{"clone, ", func(s *server) (float64, error) { return cloneTime(ctx, s.url, filepath.Join(dir, "clone")) }, measure.Goal{Ratio: 1 / 0.9}},
		{"sending alone, ", func(s *server) (float64, error) { return fetchTime(ctx, s.url, tip) }, measure.Goal{}},
	} {
		took, peer, err := measure.InTurn(b.room.Rounds,
			func() (float64, error) { return c.run(ours) },
			func() (float64, error) { return c.run(theirs) })
		if err != nil {
			return err
		}
		b.add(c.work+state, size, measure.Seconds, took, peer, c.goal)
	}
	us, err := ours.used()
	if err != nil {
		return err
	}
	them, err := theirs.used()
	if err != nil {
		return err
	}
	b.add("resident memory of the server, "+state, size, measure.Bytes, []float64{us.Resident}, []float64{them.Children}, measure.Goal{})
	b.add("heap of the server, "+state, size, measure.Bytes, []float64{us.Heap}, nil, measure.Goal{})
	return nil
}

// cloneTime is the time in seconds that stock git takes to clone, without
// writing a work tree.
func cloneTime(ctx context.Context, url, dir string) (float64, error) {
	clone := stock.Git{Dir: dir}
	defer os.RemoveAll(dir)
	began := time.Now()
	_, err := clone.Run(ctx, nil, "clone", "-q", "--bare", url, dir)
	return time.Since(began).Seconds(), err
}

// fetchTime is the time in seconds until the server has sent the pack of a
// clone to a client that throws it away.
func fetchTime(ctx context.Context, url, tip string) (float64, error) {
	lines := []string{"command=fetch", "", "ofs-delta", "want " + tip, "done"}
	var body strings.Builder
	for _, line := range lines {
		if line == "" {
			body.WriteString("0001")
			continue
		}
		fmt.Fprintf(&body, "%04x%s\n", len(line)+5, line)
	}
	body.WriteString("0000")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/git-upload-pack", strings.NewReader(body.String()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	request.Header.Set("Git-Protocol", "version=2")
	began := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || n < 100) {
		err = fmt.Errorf("fetch: %s and %d bytes", answer.Status, n)
	}
	return time.Since(began).Seconds(), err
}
