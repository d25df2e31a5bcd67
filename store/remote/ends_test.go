package remote

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"cairn/internal/githost"
	"cairn/store/gitwire"
)

// A replica that holds the newest commit without its parents and does not know that these are not
// here (it was killed before the folder remembered it, or memory has let go of them) still notices
// a rewind, and goes on following.
func TestRewoundToWhatIsNotHere(t *testing.T) {
	for _, kind := range []githost.Kind{githost.Cairn, githost.Daemon} {
		t.Run(string(kind), func(t *testing.T) {
			h := githost.New(t, kind)
			fill(t, h, 5)
			r := open(t, h, unaware)
			r.mu.Lock()
			clear(r.shallow)
			r.mu.Unlock()
			h.Git("update-ref", "refs/heads/other", "main~1")
			_, host := rewindHost(t, h)
			if err := r.sync(soon(t)); err != nil {
				t.Errorf("look: %v", err)
			}
			if got := r.Status().Rewound; len(got) != 1 || got[0].Host != host {
				t.Errorf("rewound: got %v, want main at %v", got, host)
			}
			if _, err := r.repo.Branch("other").Tree(soon(t)); err != nil {
				t.Errorf("another branch: %v", err)
			}
		})
	}
}

// A host whose own history is cut off is not asked for more of it without end.
func TestHostHasNoMoreHistory(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 5)
	h.Git("update-ref", "refs/heads/side", h.Git("commit-tree", "-p", "main~1", "-m", "side", "main^{tree}"))
	w := &stingy{wire: wireTo(t, h)}
	r, err := tryOpen(t, h, func(o *Options) { unaware(o); w.wire.able = noWaiting; o.Host = w })
	if err != nil {
		t.Fatal(err)
	}
	h.Git("update-ref", "refs/heads/main", h.Git("commit-tree", "-p", "side", "-m", "x", "main^{tree}"))
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	w.enough = cancel
	err = r.sync(ctx)
	if n := w.fetches.Load(); n > manyFetches {
		t.Errorf("asked %d times for history that does not exist", n)
	}
	if got := r.Status().Rewound; len(got) != 1 {
		t.Errorf("rewound: got %v (%v), want one", got, err)
	}
}

const manyFetches = 50

// stingy is a host that says yes to who asks for more history, and sends none.
type stingy struct {
	*wire
	enough context.CancelFunc
}

// Fetch implements Host.
func (s *stingy) Fetch(ctx context.Context, f gitwire.FetchRequest) (*gitwire.Fetched, error) {
	if s.fetches.Load() > manyFetches {
		s.enough()
		return nil, ctx.Err()
	}
	if f.Depth > 1 {
		s.fetches.Add(1)
		return &gitwire.Fetched{}, nil
	}
	return s.wire.Fetch(ctx, f)
}

// The ends of branches that come and go are not remembered for good.
func TestEndsAreForgotten(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 2)
	r := open(t, h, unaware)
	const rounds, each = 6, 400
	for i := range rounds {
		forks(t, h, i, each)
		if err := r.sync(soon(t)); err != nil {
			t.Fatal(err)
		}
		if got, want := len(r.list("refs/heads/")), 1+each; got != want {
			t.Fatalf("branches: got %d, want %d", got, want)
		}
		input(t, h, "update-ref", "--stdin", func(w *strings.Builder) {
			for j := range each {
				fmt.Fprintf(w, "delete refs/heads/%s\n", numbered("fork", j))
			}
		})
		if err := r.sync(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got, most := len(r.cuts()), 2*each+fewCuts; got > most {
		t.Errorf("ends of the history of one branch: got %d, want at most %d", got, most)
	}
	if n := r.logged(t); n != 2 {
		t.Errorf("log: got %d commits, want 2", n)
	}
}

// logged counts the commits that the log of main shows.
func (r *replica) logged(t *testing.T) (n int) {
	t.Helper()
	for _, err := range r.repo.Branch("main").Log(soon(t), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// forks makes branches with a commit each at the host, on top of main's.
func forks(t *testing.T, h *githost.Host, seed, n int) {
	t.Helper()
	input(t, h, "fast-import", "--quiet", func(w *strings.Builder) {
		for i := range n {
			fmt.Fprintf(w, "commit refs/heads/%s\ncommitter T <t@localhost> %d +0000\ndata 1\nx\n", numbered("fork", i), 1700000000+seed*n+i)
			w.WriteString("from refs/heads/main^0\n\n")
		}
	})
}

// input runs stock git at the host on what write writes.
func input(t *testing.T, h *githost.Host, command, option string, write func(*strings.Builder)) {
	t.Helper()
	var text strings.Builder
	write(&text)
	inputBytes(t, h, []byte(text.String()), command, option)
}

// inputBytes runs stock git at the host on some bytes and returns what it prints.
func inputBytes(t *testing.T, h *githost.Host, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = h.Dir, h.GitEnv(), bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}
