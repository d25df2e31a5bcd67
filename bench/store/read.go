package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
)

// read measures reads of random files, in a process that has read all of them
// and in one that has just begun, and what two commits differ in.
func (b *bench) read(ctx context.Context, dir string, size int) error {
	repo := filepath.Join(dir, "repo")
	d, main, err := fill(ctx, repo, b.corpus)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := applyAll(ctx, main, b.corpus.Edits(b.room.Share(1000), 1)); err != nil {
		return err
	}
	old, err := main.Tree(ctx)
	if err != nil {
		return err
	}
	if err := apply(ctx, main, b.corpus.Edits(1, 2)[0]); err != nil {
		return err
	}
	now, err := main.Tree(ctx)
	if err != nil {
		return err
	}
	if err := d.Maintain(ctx); err != nil {
		return err
	}
	git := stock.Git{Dir: repo}
	if err := b.get(ctx, now, git, size); err != nil {
		return err
	}
	if err := b.diff(ctx, d, old, now, git, size); err != nil {
		return err
	}
	return b.cold(ctx, git, size)
}

// get reads on one core; git cat-file --batch does it on another, with a pipe
// between.
func (b *bench) get(ctx context.Context, tree *store.Tree, git stock.Git, size int) error {
	paths := make([]string, size)
	for i, k := range rand.Perm(size) {
		paths[i] = b.corpus.Path(k)
	}
	gets := func(n int) error {
		for i := range n {
			if _, _, err := tree.Blob(paths[i%size]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := gets(size); err != nil { // now it is warm
		return err
	}
	n, few := max(size, b.room.Share(1_000_000)), b.room.Share(20_000)
	ours, peer, err := measure.InTurn(b.room.Rounds,
		func() (float64, error) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			began := time.Now()
			err := gets(n)
			return float64(n) / time.Since(began).Seconds(), err
		},
		func() (float64, error) { return catFile(ctx, git, paths, few) })
	b.add("get, warm, one core", size, measure.PerSecond, ours, peer, "git cat-file --batch", measure.Goal{Value: 1e6})
	return err
}

// catFile asks a git cat-file for n files and returns how many it gives a second,
// not counting its first.
func catFile(ctx context.Context, git stock.Git, paths []string, n int) (float64, error) {
	cmd := git.Command(ctx, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ask := func(n int) error {
		go func() {
			w := bufio.NewWriter(in)
			for i := range n {
				fmt.Fprintf(w, "main:%s\n", paths[i%len(paths)])
			}
			w.Flush()
		}()
		return nil
	}
	answers := bufio.NewReader(out)
	read := func(n int) error {
		for range n {
			var hash, kind string
			var size int64
			if _, err := fmt.Fscanf(answers, "%s %s %d\n", &hash, &kind, &size); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, answers, size+1); err != nil {
				return err
			}
		}
		return nil
	}
	if err := ask(1); err != nil {
		return 0, err
	}
	if err := read(1); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := ask(n); err != nil {
		return 0, err
	}
	if err := read(n); err != nil {
		return 0, err
	}
	took := time.Since(began)
	in.Close()
	return float64(n) / took.Seconds(), cmd.Wait()
}

// diff compares neighbours, once with both trees at hand and once reading them.
func (b *bench) diff(ctx context.Context, d *gitdir.Dir, old, now *store.Tree, git stock.Git, size int) error {
	before, _ := old.Commit()
	after, _ := now.Commit()
	n := b.room.Share(2000)
	pair := before.Hash.String() + " " + after.Hash.String() + "\n"
	theirs := func() (float64, error) {
		began := time.Now()
		_, err := git.Run(ctx, strings.NewReader(strings.Repeat(pair, n)), "diff-tree", "-r", "--stdin")
		return time.Since(began).Seconds() / float64(n), err
	}
	warm, peer, err := measure.InTurn(b.room.Rounds, func() (float64, error) {
		began := time.Now()
		for range n {
			if err := one(ctx, old, now); err != nil {
				return 0, err
			}
		}
		return time.Since(began).Seconds() / float64(n), nil
	}, theirs)
	if err != nil {
		return err
	}
	b.add("diff of neighbours", size, measure.Seconds, warm, peer, "git diff-tree --stdin", measure.Goal{Value: 100e-6})

	cold, peer, err := measure.InTurn(b.room.Rounds, func() (float64, error) {
		began := time.Now()
		for range n {
			repo := store.New(d, store.Options{})
			old, err := repo.Tree(ctx, before.Hash)
			if err != nil {
				return 0, err
			}
			now, err := repo.Tree(ctx, after.Hash)
			if err != nil {
				return 0, err
			}
			if err := one(ctx, old, now); err != nil {
				return 0, err
			}
		}
		return time.Since(began).Seconds() / float64(n), nil
	}, theirs)
	b.add("diff of neighbours, nothing cached", size, measure.Seconds, cold, peer, "git diff-tree --stdin", measure.Goal{})
	return err
}

// one expects one difference.
func one(ctx context.Context, old, now *store.Tree) error {
	n := 0
	for _, err := range old.Diff(ctx, now) {
		if err != nil {
			return err
		}
		n++
	}
	if n != 1 {
		return fmt.Errorf("the trees differ in %d files, not in one", n)
	}
	return nil
}

// ColdEnv names the variable that makes this program a reader of one file: its
// value is the repository and the file's path.
const ColdEnv = "CAIRN_BENCH_COLD"

// cooled is what a process that has just begun tells of its first read.
type cooled struct {
	Seconds float64
	Heap    uint64 // bytes in use
}

// Cold reads one file and prints what that took.
func Cold(what string) error {
	dir, path, _ := strings.Cut(what, "\n")
	began := time.Now()
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	tree, err := store.New(d, store.Options{}).Branch("main").Tree(context.Background())
	if err != nil {
		return err
	}
	if _, _, err := tree.Blob(path); err != nil {
		return err
	}
	took := time.Since(began)
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return json.NewEncoder(os.Stdout).Encode(cooled{took.Seconds(), mem.HeapInuse})
}

// cold starts processes that read one file and end.
func (b *bench) cold(ctx context.Context, git stock.Git, size int) error {
	var inside, heap []float64
	path := func() string { return b.corpus.Path(rand.IntN(size)) }
	ours, peer, err := measure.InTurn(max(b.room.Rounds, b.room.Share(20)),
		func() (float64, error) {
			self, err := os.Executable()
			if err != nil {
				return 0, err
			}
			cmd := exec.CommandContext(ctx, self)
			cmd.Env = append(os.Environ(), ColdEnv+"="+git.Dir+"\n"+path())
			began := time.Now()
			out, err := cmd.Output()
			took := time.Since(began).Seconds()
			if err != nil {
				return 0, fmt.Errorf("read in a new process: %w", err)
			}
			var c cooled
			err = json.Unmarshal(out, &c)
			inside, heap = append(inside, c.Seconds), append(heap, float64(c.Heap))
			return took, err
		},
		func() (float64, error) {
			began := time.Now()
			_, err := git.Run(ctx, nil, "cat-file", "blob", "main:"+path())
			return time.Since(began).Seconds(), err
		})
	if err != nil {
		return err
	}
	b.add("open to first get", size, measure.Seconds, inside, nil, "", measure.Goal{Value: 50e-3})
	b.add("heap then", size, measure.Bytes, heap, nil, "", measure.Goal{Value: 40 << 20})
	b.add("process that reads one file", size, measure.Seconds, ours, peer, "git cat-file blob", measure.Goal{})
	return nil
}
