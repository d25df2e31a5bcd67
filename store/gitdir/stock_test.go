package gitdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
)

// A crowd writes to and reads from one repository until its time is over.
type crowd struct {
	t     *testing.T
	d     *Dir
	ctx   context.Context
	group sync.WaitGroup
	reads atomic.Int64
	mu    sync.Mutex
	tips  map[string]store.Hash // as acknowledged
	count map[string]int        // what was done, and how often
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	long := 1500 * time.Millisecond
	if os.Getenv("CAIRN_LONG") != "" {
		long = 10 * time.Second
	}
	ctx, stop := context.WithTimeout(t.Context(), long)
	t.Cleanup(stop)
	return &crowd{t: t, d: newDir(t, Options{}), ctx: ctx, tips: map[string]store.Hash{}, count: map[string]int{}}
}

// repeat does something over and over.
func (c *crowd) repeat(what string, f func(n int) error) {
	c.group.Go(func() {
		for n := 0; c.ctx.Err() == nil; n++ {
			if err := f(n); err != nil {
				c.t.Errorf("%s %d: %v", what, n, err)
				return
			}
			c.mu.Lock()
			c.count[what]++
			c.mu.Unlock()
		}
	})
}

// writer moves its refs together, as long as it can.
func (c *crowd) writer(refs ...string) {
	w := &workload{d: c.d, refs: map[string]store.Hash{}}
	c.repeat("write "+refs[0], func(int) error {
		err := w.edit(refs...)()
		if errors.Is(err, store.ErrTemporary) { // somebody holds a lock for long
			w.next = nil
			return nil
		}
		if err != nil {
			return err
		}
		w.refs, w.next = w.next, nil
		c.mu.Lock()
		defer c.mu.Unlock()
		for name, h := range w.refs {
			c.tips[name] = h
		}
		return nil
	})
}

// reader reads what refs name. A ref that was there once must always be found.
func (c *crowd) reader() {
	c.repeat("read", func(int) error {
		c.mu.Lock()
		var names []string
		for name := range c.tips {
			names = append(names, name)
		}
		c.mu.Unlock()
		for _, name := range names {
			ref, err := c.d.Ref(context.Background(), name)
			if err != nil {
				return err
			}
			if err := readSome(c.d, ref.Hash, 5); err != nil {
				return fmt.Errorf("%s at %s: %w", name, ref.Hash, err)
			}
			c.reads.Add(1)
		}
		return nil
	})
}

// git runs commands, one after the other, over and over. What becomes of them
// is not our affair; usually they succeed.
func (c *crowd) git(commands ...[]string) {
	c.repeat("git "+commands[0][0], func(int) error {
		for _, args := range commands {
			if out, err := tryGit(c.t, string(c.d.root), args...); err != nil && c.ctx.Err() == nil {
				c.t.Logf("git %v: %v: %.200s", args, err, out)
			}
		}
		return nil
	})
}

// end waits for all and compares refs with what was acknowledged.
func (c *crowd) end() {
	c.t.Helper()
	c.group.Wait()
	for name, want := range c.tips {
		ref, err := c.d.readRef(name) // Ref may be refTTL behind git
		if err != nil || ref.Hash != want {
			c.t.Errorf("%s: got %v, %v, want %v", name, ref.Hash, err, want)
		}
		if err := readHistory(c.d, want); err != nil {
			c.t.Errorf("%s: %v", name, err)
		}
		if got := git(c.t, string(c.d.root), "rev-parse", name); got != want.String() {
			c.t.Errorf("%s: git says %s, want %s", name, got, want)
		}
	}
	c.t.Logf("%v, %d histories read", c.count, c.reads.Load())
	if err := c.d.Close(); err != nil {
		c.t.Error(err)
	}
	fsck(c.t, c.d)
}

// TestStockGitRepacks lets git repack, pack refs and prune everything that no ref
// needs, at once and without grace, while we write and read.
func TestStockGitRepacks(t *testing.T) {
	c := newCrowd(t)
	c.writer("refs/heads/one")
	c.writer("refs/heads/two/a", "refs/heads/two/b")
	c.writer("refs/heads/three", "refs/heads/one-more", "refs/heads/two/c")
	c.reader()
	c.reader()
	// In a row: each would remove the others' unfinished files.
	c.git([]string{"gc", "-q", "--prune=now"}, []string{"repack", "-adq"}, []string{"prune", "--expire=now"})
	c.git([]string{"pack-refs", "--all", "--prune"})
	c.end()
}

// TestStockGitPushes lets git push into the folder, move refs and collect garbage
// with its usual grace, while we write and read.
func TestStockGitPushes(t *testing.T) {
	c := newCrowd(t)
	repo := string(c.d.root)
	c.writer("refs/heads/one")
	c.writer("refs/heads/two/a", "refs/heads/two/b")
	c.reader()
	for _, name := range []string{"p1", "p2"} {
		work := filepath.Join(t.TempDir(), name)
		git(t, t.TempDir(), "init", "-q", work)
		ref := "refs/heads/pushed/" + name
		c.repeat("push", func(n int) error {
			if err := os.WriteFile(filepath.Join(work, "file"), fmt.Append(nil, name, n), 0o600); err != nil {
				return err
			}
			git(t, work, "add", "file")
			git(t, work, "commit", "-q", "-m", fmt.Sprint(name, n))
			// A push fails when git gc removes the empty folder that it has just made for an
			// object.
			for tries := 1; ; tries++ {
				out, err := tryGit(t, work, "push", "-q", repo, "HEAD:"+ref)
				if err == nil {
					break
				}
				if tries == 100 {
					return fmt.Errorf("%w: %s", err, out)
				}
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tips[ref] = mustHash(t, git(t, work, "rev-parse", "HEAD"))
			return nil
		})
	}
	c.git([]string{"gc", "-q"})
	c.git([]string{"pack-refs", "--all", "--prune"})
	c.end()
}

func mustHash(t *testing.T, hex string) store.Hash {
	t.Helper()
	h, ok := parseHash([]byte(hex))
	if !ok {
		t.Fatalf("git printed %q instead of a hash", hex)
	}
	return h
}
