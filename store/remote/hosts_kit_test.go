package remote_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/crypto/ssh"

	"cairn/internal/fault"
	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
	"cairn/store/remote"
)

// A bench is a host, and what tests do to it.
type bench struct {
	*githost.Host
	t       *testing.T
	outside *gitdir.Dir // the host's repository, as others on the host's side have it
	other   *store.Repo // over outside: another writer
	proxy   *fault.Proxy
}

func newBench(t *testing.T, kind githost.Kind) *bench {
	t.Helper()
	h := githost.New(t, kind)
	outside, err := gitdir.Open(h.Dir, gitdir.Options{NoMaintenance: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outside.Close() })
	return &bench{Host: h, t: t, outside: outside, other: store.New(outside, store.Options{}), proxy: fault.New(t, h.Addr)}
}

// overKinds runs a test on each kind of host; in the ordinary run on three, which are
// quick and between them have all that matters.
func overKinds(t *testing.T, test func(t *testing.T, b *bench)) {
	kinds := []githost.Kind{githost.Cairn, githost.PlainHTTP, githost.Daemon}
	if os.Getenv("CAIRN_LONG") != "" {
		kinds = githost.Kinds
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, newBench(t, kind))
		})
	}
}

// remote is the host as a client has it, through the proxy.
func (b *bench) remote(c *gitwire.Client) *gitwire.Remote {
	b.t.Helper()
	r, err := c.Remote(b.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { r.Close() })
	return r
}

// open opens a backend through the proxy.
func (b *bench) open(o remote.Options) (*remote.Backend, *store.Repo) {
	b.t.Helper()
	if o.Host == nil {
		o.Host = b.remote(b.Client(b.proxy.Dial))
	}
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	back, err := remote.Open(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := back.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return back, store.New(back, store.Options{Now: noon})
}

// A deaf host tells of nothing by itself, so that a replica knows only what it has
// asked for on purpose. before and asked, when set, run before each push and each
// look at the refs.
type deaf struct {
	remote.Host
	before, asked func()
}

// openDeaf opens a backend that learns nothing by itself after its start.
func (b *bench) openDeaf(d *deaf) (*remote.Backend, *store.Repo) {
	b.t.Helper()
	d.Host = b.remote(b.Client(b.proxy.Dial))
	return b.open(remote.Options{Host: d, Poll: time.Hour})
}

// openTicking is openDeaf with a clock on which a second passes whenever it is looked at:
// a change that is made twice is not the same commit twice.
func (b *bench) openTicking(d *deaf) *store.Repo {
	b.t.Helper()
	back, _ := b.openDeaf(d)
	return store.New(back, store.Options{Now: ticking()})
}

func ticking() func() time.Time {
	var seconds atomic.Int64
	seconds.Store(4_000_000_000) // later than any commit made by the machine's clock
	return func() time.Time { return time.Unix(seconds.Add(1), 0).UTC() }
}

// Able implements remote.Host.
func (d *deaf) Able(ctx context.Context) (gitwire.Abilities, error) {
	able, err := d.Host.Able(ctx)
	able.Wait = false
	return able, err
}

// Push implements remote.Host.
func (d *deaf) Push(ctx context.Context, p gitwire.PushRequest) error {
	if d.before != nil {
		d.before()
	}
	return d.Host.Push(ctx, p)
}

// Refs implements remote.Host.
func (d *deaf) Refs(ctx context.Context, prefixes ...string) ([]store.Ref, error) {
	if d.asked != nil {
		d.asked()
	}
	return d.Host.Refs(ctx, prefixes...)
}

// write makes a note in a branch and says what came of it.
func write(repo *store.Repo, branch, id string) error {
	return repo.Branch(branch).Update(context.Background(), change(id), note(id))
}

// mustWrite is write that must succeed.
func mustWrite(t *testing.T, repo *store.Repo, branch, id string) {
	t.Helper()
	if err := write(repo, branch, id); err != nil {
		t.Fatalf("write %s: %v", id, err)
	}
}

// log is what has been noted in a branch.
func log(t *testing.T, repo *store.Repo, branch string) string {
	t.Helper()
	tree, err := repo.Branch(branch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := readFile(tree, "log")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(text), " ")
}

// holds checks what has been noted at the host.
func (b *bench) holds(branch, want string) {
	b.t.Helper()
	if got := strings.Join(strings.Fields(b.Git("show", "refs/heads/"+branch+":log")), " "); got != want {
		b.t.Errorf("the host's %s: got %q, want %q", branch, got, want)
	}
}

// at is what a branch is at the host.
func (b *bench) at(branch string) store.Hash {
	b.t.Helper()
	return plumbing.NewHash(b.Git("rev-parse", "--verify", "refs/heads/"+branch))
}

// force puts a branch elsewhere, as git push --force does.
func (b *bench) force(branch string, to store.Hash) {
	b.t.Helper()
	err := b.outside.Commit(b.t.Context(), nil, []store.RefChange{{Name: "refs/heads/" + branch, Old: b.at(branch), New: to}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// soon waits until something is so.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hangs); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// clone is stock git's working copy of the host's main branch, made over the
// host's own protocol.
func (b *bench) clone() *clone {
	b.t.Helper()
	if b.Kind == githost.SSHD || b.Kind == githost.CairnSSH {
		githost.Need(b.t, "ssh", "openssh-client")
	}
	c := &clone{b, b.t.TempDir()}
	c.git("clone", "-q", b.GitURL(), ".")
	return c
}

type clone struct {
	b   *bench
	dir string
}

func (c *clone) git(args ...string) string {
	c.b.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = c.dir, c.b.GitEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.b.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit adds a file and returns the commit.
func (c *clone) commit(file, content string) store.Hash {
	c.b.t.Helper()
	cmd := exec.Command("sh", "-c", `mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"`, "sh", file, content)
	cmd.Dir = c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		c.b.t.Fatalf("write %s: %v\n%s", file, err, out)
	}
	c.git("add", file)
	c.git("commit", "-q", "-m", "add "+file)
	return c.head()
}

func (c *clone) head() store.Hash {
	c.b.t.Helper()
	return plumbing.NewHash(c.git("rev-parse", "HEAD"))
}

// is says whether an error is of a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// newSSHKey is a key that nobody knows.
func newSSHKey() (ed25519.PublicKey, ssh.Signer, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	return public, signer, err
}
