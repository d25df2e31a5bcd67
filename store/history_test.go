package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
)

// A history is a random one with merges and criss-crosses, made by git
// fast-import, whose commits are refs/heads/c0, c1 and so on.
func history(t *testing.T, rnd *rand.Rand, commits int) (*gitRepo, int) {
	t.Helper()
	r := newGitRepo(t, store.Options{})
	paths := []string{"a", "b", "d/a", "d/b", "d/e/f", "g"}
	var in strings.Builder
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/c%d\nmark :%d\ncommitter C <c@localhost> %d +0000\ndata 1\nx\n", i, i+1, 1700000000+i/3)
		var parents []int
		if i > 0 {
			parents = append(parents, 1+i-1-rnd.IntN(min(i, 4)))
		}
		if i > 1 && rnd.IntN(3) == 0 {
			if p := 1 + i - 1 - rnd.IntN(min(i, 5)); p != parents[0] {
				parents = append(parents, p)
			}
		}
		for k, p := range parents {
			fmt.Fprintf(&in, "%s :%d\n", []string{"from", "merge"}[k], p)
		}
		for range rnd.IntN(3) {
			path := paths[rnd.IntN(len(paths))]
			if rnd.IntN(4) == 0 {
				fmt.Fprintf(&in, "D %s\n", path)
				continue
			}
			content := fmt.Sprint(path, rnd.IntN(3)) // so that git sees no renames
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", path, len(content), content)
		}
		in.WriteByte('\n')
	}
	r.git(t, in.String(), "fast-import", "--quiet")
	return r, commits
}

// seeded gives every run the same histories, and each repetition other ones.
func seeded(repetition int) *rand.Rand { return rand.New(rand.NewPCG(uint64(repetition), 0)) }

// often runs a test with random input once, and many times in a long campaign.
func often(t *testing.T, test func(t *testing.T, repetition int)) {
	n := 1
	if os.Getenv("CAIRN_LONG") == "1" {
		n = 10
	}
	for i := range n {
		test(t, i)
	}
}

func TestLogAgainstGit(t *testing.T) { often(t, testLogAgainstGit) }

func testLogAgainstGit(t *testing.T, repetition int) {
	r, n := history(t, seeded(repetition), 80)
	last := fmt.Sprintf("c%d", n-1)
	for _, path := range []string{"", "a", "d", "d/e", "d/e/f", "g", "absent"} {
		args := []string{"log", "--format=%H", last, "--"}
		if path != "" {
			args = append(args, path)
		}
		want := strings.Fields(r.git(t, "", args...))
		var got []string
		for rev, err := range r.Branch(last).Log(context.Background(), path) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rev.Hash.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("log of %q: got %d commits %v, want %d %v", path, len(got), got, len(want), want)
		}
	}
}

func TestLogOfAbsentBranch(t *testing.T) {
	n := 0
	for _, err := range newRepo().Branch("absent").Log(context.Background(), "") {
		if n++; !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want %v", err, fs.ErrNotExist)
		}
	}
	if n != 1 {
		t.Errorf("got %d errors, want 1", n)
	}
}

// clock is a settable Options.Now.
type clock struct{ now time.Time }

func newClockRepo(c *clock) *store.Repo {
	return store.New(mem.New(), store.Options{Now: func() time.Time { return c.now }})
}

func TestAt(t *testing.T) {
	ctx := context.Background()
	start := time.Unix(1700000000, 0)
	c := &clock{start}
	r := newClockRepo(c)
	main := r.Branch("main")
	for i := range 10 {
		c.now = start.Add(time.Duration(i) * time.Minute)
		put(t, main, "n", fmt.Sprint(i))
	}
	for _, test := range []struct {
		after time.Duration
		want  string
	}{{0, "0"}, {59 * time.Second, "0"}, {time.Minute, "1"}, {5*time.Minute + 30*time.Second, "5"}, {time.Hour, "9"}} {
		tree, err := main.At(ctx, start.Add(test.after))
		if err != nil {
			t.Errorf("at %v: %v", test.after, err)
			continue
		}
		if got := show(t, tree); got != "n="+test.want {
			t.Errorf("at %v: got %s, want n=%s", test.after, got, test.want)
		}
	}
	if _, err := main.At(ctx, start.Add(-time.Second)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the beginning: got %v, want %v", err, fs.ErrNotExist)
	}
}

func TestCommitterTimeNeverGoesBack(t *testing.T) {
	c := &clock{time.Unix(1700000000, 0)}
	main := newClockRepo(c).Branch("main")
	put(t, main, "n", "1")
	first := tree(t, main).Time()
	c.now = c.now.Add(-time.Hour)
	put(t, main, "n", "2")
	if got := tree(t, main).Time(); got.Before(first) {
		t.Errorf("got %v after %v", got, first)
	}
}

func TestForkAndDelete(t *testing.T) {
	ctx := context.Background()
	r := newRepo()
	main := r.Branch("main")
	if _, err := main.Fork(ctx, "draft"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("fork of an absent branch: got %v, want %v", err, fs.ErrNotExist)
	}
	put(t, main, "a", "1")
	draft, err := main.Fork(ctx, "draft")
	if err != nil {
		t.Fatal(err)
	}
	put(t, draft, "a", "2")
	if got := show(t, tree(t, main)); got != "a=1" {
		t.Errorf("main after an update of its fork: got %s, want a=1", got)
	}
	if _, err := main.Fork(ctx, "draft"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("fork to a branch that exists: got %v, want %v", err, fs.ErrExist)
	}
	if _, err := main.Fork(ctx, "a..b"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("fork to a bad name: got %v, want %v", err, fs.ErrInvalid)
	}
	if err := draft.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := draft.Tree(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted branch: got %v, want %v", err, fs.ErrNotExist)
	}
	if err := draft.Delete(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete again: got %v, want %v", err, fs.ErrNotExist)
	}
}
