package githost

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// overKinds runs a test on each kind of host.
func overKinds(t *testing.T, test func(t *testing.T, h *Host)) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, New(t, kind))
		})
	}
}

// client runs stock git as a client of the host and returns what it says.
func (h *Host) client(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, h.GitEnv()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// work is a repository with one commit, on main.
func (h *Host) work(t *testing.T) (dir, tip string) {
	t.Helper()
	dir = t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"commit", "-q", "--allow-empty", "-m", "first"},
		{"rev-parse", "HEAD"},
	} {
		out, err := h.client(t, dir, args...)
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		tip = strings.TrimSpace(out)
	}
	return dir, tip
}

func (h *Host) tip(t *testing.T, ref string) string {
	t.Helper()
	return h.Git("for-each-ref", "--format=%(objectname)", ref)
}

func TestStockClient(t *testing.T) {
	overKinds(t, func(t *testing.T, h *Host) {
		if h.Kind == CairnSSH || h.Kind == SSHD {
			Need(t, "ssh", "openssh-client")
		}
		dir, tip := h.work(t)
		if out, err := h.client(t, dir, "push", "-q", h.GitURL(), "main"); err != nil {
			t.Fatalf("push: %v\n%s", err, out)
		}
		if got := h.tip(t, "refs/heads/main"); got != tip {
			t.Errorf("main: got %s, want %s", got, tip)
		}
		h.Git("fsck", "--strict")

		h.Stop()
		if c, err := net.Dial("tcp", h.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				c.Close()
			}
			t.Errorf("stopped: got %v, want %v", err, syscall.ECONNREFUSED)
		}
		if out, err := h.client(t, dir, "ls-remote", h.GitURL()); err == nil {
			t.Errorf("stopped: got %q, want an error", out)
		}
		h.Start()
		out, err := h.client(t, dir, "ls-remote", h.GitURL(), "main")
		if want := tip + "\trefs/heads/main\n"; err != nil || out != want {
			t.Errorf("started again: got %q, %v, want %q", out, err, want)
		}
	})
}

func TestHooks(t *testing.T) {
	overKinds(t, func(t *testing.T, h *Host) {
		dir, tip := h.work(t)
		push := func(branches ...string) (string, error) {
			return h.client(t, dir, append([]string{"push", h.GitURL()}, branches...)...)
		}
		h.Hooks(Hooks{Decline: "it's closed"})
		if out, err := push("main"); err == nil || !strings.Contains(out, "it's closed") {
			t.Errorf("declined: got %q, %v, want the hook's words", out, err)
		}
		h.Hooks(Hooks{DeclineRef: "refs/heads/main"})
		if out, err := push("main", "main:side"); err == nil || !strings.Contains(out, words) {
			t.Errorf("one ref declined: got %q, %v, want the hook's words", out, err)
		}
		if main, side := h.tip(t, "refs/heads/main"), h.tip(t, "refs/heads/side"); main != "" || side != tip {
			t.Errorf("one ref declined: got %q and %q, want none and %q", main, side, tip)
		}
		h.Hooks(Hooks{})
		if out, err := push("main"); err != nil {
			t.Errorf("no hooks: %v\n%s", err, out)
		}
	})
}

func TestLinger(t *testing.T) {
	overKinds(t, func(t *testing.T, h *Host) {
		dir, tip := h.work(t)
		const linger = 700 * time.Millisecond
		h.Hooks(Hooks{Linger: linger})
		start, pushed := time.Now(), make(chan error, 1)
		go func() {
			_, err := h.client(t, dir, "push", "-q", h.GitURL(), "main")
			pushed <- err
		}()
		for h.tip(t, "refs/heads/main") != tip {
			if time.Since(start) > patience {
				t.Fatal("the ref does not move")
			}
		}
		if err := <-pushed; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < linger {
			t.Errorf("push: took %v, want at least %v", took, linger)
		}
	})
}

// TestOurClient asks with our own client.
func TestOurClient(t *testing.T) {
	overKinds(t, func(t *testing.T, h *Host) {
		var dialled atomic.Int64
		r, err := h.Client(func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}).Remote(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		objs, tip := first()
		err = r.Push(t.Context(), gitwire.PushRequest{Commands: []gitwire.Command{{Name: "refs/heads/main", New: tip}}, Objects: objs})
		if err != nil {
			t.Fatal(err)
		}
		refs, err := r.Refs(t.Context(), "refs/heads/")
		if err != nil || len(refs) != 1 || refs[0].Hash != tip {
			t.Errorf("refs: got %v, %v, want main at %v", refs, err, tip)
		}
		if dialled.Load() == 0 {
			t.Error("the dialer was not used")
		}
		h.Stop()
		if _, err := r.Refs(t.Context()); !errors.Is(err, store.ErrTemporary) {
			t.Errorf("stopped: got %v, want %v", err, store.ErrTemporary)
		}
	})
}

// first is a commit of nothing.
func first() ([]object.Object, store.Hash) {
	tree := object.Object{Type: object.TypeTree}
	who := object.Signature{Name: "A U Thor", Email: "author@localhost", When: time.Unix(1700000000, 0)}
	c := object.Commit{Tree: tree.Hash(), Author: who, Committer: who, Message: "first\n"}
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	return []object.Object{tree, o}, o.Hash()
}

// TestNobodyStays checks that a host leaves no process behind.
func TestNobodyStays(t *testing.T) {
	for _, kind := range []Kind{HTTPBackend, SSHD, Daemon} {
		h := New(t, kind)
		var roots []*process
		switch s := h.server.(type) {
		case *nginx:
			roots = []*process{s.front, s.bridge}
		case *sshd:
			roots = []*process{s.process}
		case *daemon:
			roots = []*process{s.process}
		}
		var pids []int
		for _, p := range roots {
			main := p.cmd.Process.Pid
			if ended(main) { // its children, which may be one for each client, come and go
				t.Errorf("%s: %d does not run", kind, main)
			}
			pids = append(append(pids, main), descendants(main)...)
		}
		h.Stop()
		if slices.ContainsFunc(pids, func(pid int) bool { return !ended(pid) }) {
			t.Errorf("%s: something of %v still runs", kind, pids)
		}
		if sockets, err := filepath.Glob(filepath.Join(h.home, "*.pid")); err == nil && len(sockets) > 0 {
			t.Errorf("%s: left behind %q", kind, sockets)
		}
	}
}
