package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
)

// folder makes an empty folder for a warm start.
func folderIn(t *testing.T, path string) *gitdir.Dir {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if err := gitdir.Init(path); err != nil {
			t.Fatal(err)
		}
	}
	d, err := gitdir.Open(path, gitdir.Options{NoMaintenance: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestColdStartAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	h.Stop()
	if _, err := tryOpen(t, h, nil); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want %v", err, store.ErrTemporary)
	}
}

// A warm start serves what the folder remembers while the host is away, and goes on from there.
func TestWarmStart(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	path := filepath.Join(t.TempDir(), "folder.git")
	first := folderIn(t, path)
	r := open(t, h, func(o *Options) { o.Folder = first })
	for _, line := range []string{"1", "2"} {
		if err := r.count(soon(t), line); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	other := open(t, h, nil)
	if err := other.count(soon(t), "3"); err != nil {
		t.Fatal(err)
	}

	h.Stop()
	second := folderIn(t, path)
	defer second.Close()
	r = open(t, h, func(o *Options) { o.Folder = second })
	defer r.Close()
	if got, want := r.lines(t), "1 2"; got != want {
		t.Errorf("while the host is away: got %q, want %q", got, want)
	}
	if err := r.count(soon(t), "4"); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("write while the host is away: got %v, want %v", err, store.ErrTemporary)
	}
	h.Start()
	until(t, "writing goes on", func() bool { return r.count(soon(t), "5") == nil })
	if got, want := hostLines(t, h), "1 2 3 5"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
	n := 0
	for _, err := range r.repo.Branch("main").Log(soon(t), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("log: got %d commits, want 4", n)
	}
}

// A rewind that happened while the process was not running is noticed by a warm start.
func TestWarmStartRewound(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	path := filepath.Join(t.TempDir(), "folder.git")
	first := folderIn(t, path)
	r := open(t, h, func(o *Options) { o.Folder = first })
	for _, line := range []string{"1", "2"} {
		if err := r.count(soon(t), line); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	rewindHost(t, h)
	second := folderIn(t, path)
	defer second.Close()
	r = open(t, h, func(o *Options) { o.Folder = second })
	defer r.Close()
	if got := len(r.Status().Rewound); got != 1 {
		t.Errorf("rewound: got %d, want 1", got)
	}
	if got, want := r.lines(t), "1 2"; got != want {
		t.Errorf("reads: got %q, want %q", got, want)
	}
}

func TestExpect(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	for _, line := range []string{"1", "2", "3"} {
		if err := r.count(soon(t), line); err != nil {
			t.Fatal(err)
		}
	}
	tip := r.tip(t)
	older := parse(t, h.Git("rev-parse", "main~2"))
	for _, want := range []store.Hash{tip, older} {
		if _, err := tryOpen(t, h, func(o *Options) { o.Expect = []store.Hash{want} }); err != nil {
			t.Errorf("expecting %v, which is there: %v", want, err)
		}
	}
	rewindHost(t, h)
	_, err := tryOpen(t, h, func(o *Options) { o.Expect = []store.Hash{tip} })
	if expect, ok := errors.AsType[*ExpectError](err); !ok || expect.Commit != tip {
		t.Errorf("expecting what was taken out: got %v, want an ExpectError", err)
	}
}

func TestAtomicWanted(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	deny := func(o *Options) {
		o.Host.(*wire).able = func(able *gitwire.Abilities) { able.Atomic = false }
		o.Atomic = true
	}
	if _, err := tryOpen(t, h, deny); !errors.Is(err, gitwire.ErrNotAtomic) {
		t.Errorf("got %v, want %v", err, gitwire.ErrNotAtomic)
	}
}

// With a host that cannot move several refs at once, a Commit of several is
// refused, and those of one are not.
func TestNotAtomic(t *testing.T) {
	h := githost.New(t, githost.PlainHTTP)
	h.Git("config", "receive.advertiseAtomic", "false")
	r := open(t, h, nil)
	err := r.repo.Update(soon(t), change("both"), []string{"a", "b"}, func(txs map[string]*store.Tx) error {
		return errors.Join(txs["a"].Put("x", nil), txs["b"].Put("x", nil))
	})
	if !errors.Is(err, gitwire.ErrNotAtomic) || errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want %v", err, gitwire.ErrNotAtomic)
	}
	r.put(t, "x", "1")
}

// A start is shallow, and history comes when it is looked at.
func TestShallow(t *testing.T) {
	for _, kind := range []githost.Kind{githost.Cairn, githost.PlainHTTP} {
		t.Run(string(kind), func(t *testing.T) {
			h := githost.New(t, kind)
			const commits = 600
			fill(t, h, commits)
			r := open(t, h, nil)
			if held := r.history(t); held != 1 {
				t.Errorf("commits at the start: got %d, want 1", held)
			}
			b := r.repo.Branch("main")
			tree, err := b.At(soon(t), time.Unix(1600000000+60*300, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tree.ReadFile("n"); err != nil || string(got) != "300\n" {
				t.Errorf("at 300: got %q, %v", got, err)
			}
			if held := r.history(t); held <= 300 {
				t.Errorf("commits after looking for the 300th: got %d", held)
			}
			n := 0
			for _, err := range b.Log(soon(t), "n") {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != commits {
				t.Errorf("log: got %d commits, want %d", n, commits)
			}
			if n := r.wire.fetches.Load(); n > 40 {
				t.Errorf("fetched %d times", n)
			}
			tip := r.tip(t)
			if err := b.Revert(soon(t), change("revert"), tip, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// An old commit and an old tree can be read by hash although the history between is not here.
func TestOldByHash(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	fill(t, h, 50)
	r := open(t, h, nil)
	for _, rev := range []string{"main~40", "main~30^{tree}"} {
		hash := parse(t, h.Git("rev-parse", rev))
		tree, err := r.repo.Tree(soon(t), hash)
		if err != nil {
			t.Errorf("%s: %v", rev, err)
			continue
		}
		want := h.Git("cat-file", "blob", hash.String()+":n")
		if got, err := tree.ReadFile("n"); err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s: got %q, %v, want %q", rev, got, err, want)
		}
	}
	if held := r.history(t); held > 2 {
		t.Errorf("commits below the tip: got %d", held)
	}
	unknown := store.Hash{1, 2, 3}
	if _, err := r.repo.Tree(soon(t), unknown); err == nil {
		t.Error("an unknown hash: got no error")
	}
}

// A merge base behind the end of history is found.
func TestMergeBehindTheEnd(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	fill(t, h, 30)
	side := strings.TrimSpace(h.Git("commit-tree", "-p", "main~20", "-m", "side", "main~20^{tree}"))
	h.Git("update-ref", "refs/heads/side", side)
	r := open(t, h, nil)
	if err := r.repo.Branch("main").Merge(soon(t), change("merge"), parse(t, side), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Git("rev-list", "--count", "--merges", "main"), "1"; got != want {
		t.Errorf("merges: got %q, want %q", got, want)
	}
}

// A host that sends only what a ref names has all of it sent at the start: nothing could be had
// later.
func TestHostWithoutWants(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	fill(t, h, 30)
	r := open(t, h, func(o *Options) {
		o.Host.(*wire).able = func(able *gitwire.Abilities) { able.WantAny, able.Filter, able.Shallow = false, false, false }
	})
	if held := r.history(t); held != 30 {
		t.Errorf("commits at the start: got %d, want 30", held)
	}
	other := open(t, h, nil)
	other.put(t, "a", "1")
	until(t, "the other's commit is seen", func() bool { return r.tip(t) == other.tip(t) })
	r.put(t, "b", "2")
	if _, err := r.repo.Tree(soon(t), store.Hash{1, 2, 3}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown hash: got %v, want %v", err, fs.ErrNotExist)
	}
}

// With a filter files stay at the host until they are read, and can be written beside all the same.
func TestFilter(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	first := open(t, h, nil)
	for i := range 5 {
		first.put(t, numbered("dir/f", i), numbered("content", i))
	}
	r := open(t, h, func(o *Options) { o.Filter = "blob:none" })
	tree, err := r.repo.Branch("main").Tree(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		e, err := tree.Lookup(numbered("dir/f", i))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && r.holds(soon(t), e.Hash) {
			t.Error("a file is here before it is read")
		}
		if got, err := tree.ReadFile(numbered("dir/f", i)); err != nil || string(got) != numbered("content", i) {
			t.Errorf("file %d: got %q, %v", i, got, err)
		}
	}
	r.put(t, "dir/new", "1")
	until(t, "the first sees it", func() bool { return first.tip(t) == r.tip(t) })
	h.Git("fsck", "--strict")
}

func TestFullHistory(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	fill(t, h, 30)
	r := open(t, h, func(o *Options) { o.History = func(ref string) bool { return ref == "refs/heads/main" } })
	if held := r.history(t); held != 30 {
		t.Errorf("commits at the start: got %d, want 30", held)
	}
}

// history counts the commits of main that are here.
func (r *replica) history(t *testing.T) int {
	t.Helper()
	n := 0
	for h := r.tip(t); ; n++ {
		c, err := r.commitHere(soon(t), h)
		if err != nil {
			return n
		}
		if len(c.Parents) == 0 {
			return n + 1
		}
		h = c.Parents[0]
	}
}

// fill makes a history of so many commits at the host, a minute apart.
func fill(t *testing.T, h *githost.Host, commits int) {
	t.Helper()
	var script strings.Builder
	for i := 1; i <= commits; i++ {
		content := fmt.Sprintf("%d\n", i)
		fmt.Fprintf(&script, "commit refs/heads/main\ncommitter T <t@localhost> %d +0000\ndata 1\nx\n", 1600000000+60*i)
		fmt.Fprintf(&script, "M 644 inline n\ndata %d\n%s\n", len(content), content)
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = h.Dir, h.GitEnv(), strings.NewReader(script.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}
