package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cairn/internal/fault"
	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/mem"
	"cairn/store/object"
)

// rounds is few, or many in the long campaign.
func rounds(few, many int) int {
	if os.Getenv("CAIRN_LONG") != "" {
		return many
	}
	return few
}

// overKinds runs a test on the kinds of hosts, some of which only the long campaign
// has.
func overKinds(t *testing.T, test func(t *testing.T, h *githost.Host)) {
	kinds := []githost.Kind{githost.Cairn, githost.CairnSSH, githost.PlainHTTP}
	if os.Getenv("CAIRN_LONG") != "" {
		kinds = githost.Kinds
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, githost.New(t, kind))
		})
	}
}

// A line is a branch to which commits are pushed through faults.
type line struct {
	t    *testing.T
	seed uint64
	ref  string
	calm *gitwire.Remote // the host as it is
	far  *gitwire.Remote // through the proxy
	tip  store.Hash
	made int

	doubt store.Hash           // the commit of which an earlier push may still arrive
	never map[store.Hash]error // commits of which it was said that they did not arrive
}

// slow is how long a push may take at first, and longer each time when the machine is slow;
// bound is when it hangs.
const (
	slow  = 400 * time.Millisecond
	bound = 60 * time.Second
)

// TestPushThroughFaults holds the client to what its errors mean: nil, that the ref
// has moved; ErrInDoubt, that it may have; any other, that it has not and will not.
func TestPushThroughFaults(t *testing.T) {
	overKinds(t, func(t *testing.T, h *githost.Host) {
		for seed := range uint64(rounds(4, 10)) {
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
				t.Parallel()
				newLine(t, h, seed).run()
			})
		}
	})
}

func newLine(t *testing.T, h *githost.Host, seed uint64) *line {
	p := fault.New(t, h.Addr)
	l := &line{t: t, seed: seed, ref: fmt.Sprint("refs/heads/seed", seed), never: map[store.Hash]error{}}
	l.calm, l.far = open(t, h, nil), open(t, h, p.Dial)
	p.Plan(fault.Seeded(seed, 0.4, fault.Kinds...))
	return l
}

func open(t *testing.T, h *githost.Host, dial githost.Dialer) *gitwire.Remote {
	r, err := h.Client(dial).Remote(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (l *line) run() {
	for range 12 {
		objs, next := l.commit()
		for try := 1; l.tip != next; try++ {
			err := l.push(objs, next, time.Duration(try)*slow)
			if l.settled(err, next) {
				break
			}
		}
		if l.t.Failed() {
			return
		}
		l.fetch()
	}
}

// commit makes a commit on the tip, with some weight.
func (l *line) commit() ([]object.Object, store.Hash) {
	l.made++
	blob := object.Object{Type: object.TypeBlob, Data: bytes.Repeat([]byte(l.tip.String()), 1+l.made*l.made)}
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{{Name: "file", Mode: object.ModeFile, Hash: blob.Hash()}})}
	who := object.Signature{Name: "A U Thor", Email: "author@localhost", When: time.Unix(1700000000, 0)}
	c := object.Commit{Tree: tree.Hash(), Author: who, Committer: who, Message: fmt.Sprintf("commit %d of seed %d\n", l.made, l.seed)}
	if !l.tip.IsZero() {
		c.Parents = []store.Hash{l.tip}
	}
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	return []object.Object{blob, tree, o}, o.Hash()
}

func (l *line) push(objs []object.Object, next store.Hash, within time.Duration) error {
	ctx, cancel := context.WithTimeout(l.t.Context(), within)
	defer cancel()
	start := time.Now()
	err := l.far.Push(ctx, gitwire.PushRequest{
		Commands: []gitwire.Command{{Name: l.ref, Old: l.tip, New: next}},
		Objects:  objs,
	})
	if took := time.Since(start); took > within+bound {
		l.t.Errorf("a push took %v", took)
	}
	return err
}

// settled holds what a push returned against what the host has, and says
// whether that is how it stays.
func (l *line) settled(err error, next store.Hash) bool {
	now := l.now()
	if why, ok := l.never[now]; ok {
		l.t.Errorf("a push that had certainly failed has landed: %v", why)
	}
	_, rejected := errors.AsType[*gitwire.RejectedError](err)
	switch {
	case now == next: // though the answer may be of the second of two requests
		if err != nil && !rejected && !errors.Is(err, gitwire.ErrInDoubt) && l.doubt != next {
			l.t.Errorf("the push has landed: got %v, want an error that is %v", err, gitwire.ErrInDoubt)
		}
		l.tip = next
		return true
	case now != l.tip:
		l.t.Errorf("the ref is at %v, want %v or %v", now, l.tip, next)
		return true
	case err == nil:
		l.t.Errorf("a push that was acknowledged has not landed")
		return true
	case errors.Is(err, gitwire.ErrInDoubt), rejected, l.doubt == next:
		// It may land still. Rejected: two requests of one push may have met, and
		// each have hindered the other.
		l.doubt = next
		return false
	}
	l.never[next] = err
	return true
}

// now is what the host has.
func (l *line) now() store.Hash {
	refs, err := l.calm.Refs(l.t.Context(), l.ref)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, ref := range refs {
		if ref.Name == l.ref {
			return ref.Hash
		}
	}
	return object.Zero
}

// fetch brings the branch through the faults, which may fail; what it says to
// have brought is there.
func (l *line) fetch() {
	ctx, cancel := context.WithTimeout(l.t.Context(), slow)
	defer cancel()
	into := mem.New()
	got, err := l.far.Fetch(ctx, gitwire.FetchRequest{Into: into, Prefixes: []string{l.ref}})
	if err != nil {
		return
	}
	for _, ref := range got.Refs {
		tree, err := store.NewTree(l.t.Context(), into, ref.Hash)
		if err != nil {
			l.t.Errorf("a fetch was complete, and yet: %v", err)
			continue
		}
		if _, _, err := tree.Blob("file"); err != nil {
			l.t.Errorf("a fetch was complete, and yet: %v", err)
		}
	}
}

// TestStockGitThroughFaults has stock git push to our server and fetch from it.
func TestStockGitThroughFaults(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	for seed := range uint64(rounds(3, 10)) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			p := fault.New(t, h.Addr)
			p.Plan(fault.Seeded(seed, 0.4, fault.Kinds...))
			work, branch := t.TempDir(), fmt.Sprint("stock", seed)
			url := strings.Replace(h.GitURL(), h.Addr, p.Addr(), 1)
			git := func(args ...string) (string, error) {
				cmd := exec.Command("git", append([]string{"-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=1"}, args...)...)
				cmd.Dir, cmd.Env = work, h.GitEnv()
				out, err := cmd.CombinedOutput()
				return strings.TrimSpace(string(out)), err
			}
			must := func(args ...string) string {
				out, err := git(args...)
				if err != nil {
					t.Fatalf("git %q: %v\n%s", args, err, out)
				}
				return out
			}
			must("init", "-q", "-b", branch)
			for i := range 4 {
				must("commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", i))
				out, err := git("push", "--porcelain", url, branch)
				want := must("rev-parse", "HEAD")
				if got := h.Git("for-each-ref", "--format=%(objectname)", "refs/heads/"+branch); err == nil && got != want {
					t.Errorf("git push was content: got %q, want %s\n%s", got, want, out)
				}
				if _, err := git("fetch", url, branch); err == nil {
					must("fsck", "--strict", "--connectivity-only", "FETCH_HEAD")
				}
			}
		})
	}
	t.Cleanup(func() { h.Git("fsck", "--strict") })
}
