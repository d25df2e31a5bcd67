package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// patience is how long something may take that should not take long.
const patience = 60 * time.Second

// standstill is how long a host stands still in the tests that wait for that: longer than a
// slow machine takes for anything.
const standstill = 3 * time.Second

// A wire is the way to a host, which a test may lead astray.
type wire struct {
	Host
	pushes, fetches, looks atomic.Int64

	mu     sync.Mutex
	onPush func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error
	onRefs func(ctx context.Context, refs []store.Ref) []store.Ref
	able   func(*gitwire.Abilities)
}

type pushFunc = func(context.Context, gitwire.PushRequest) error

// Push implements Host.
func (w *wire) Push(ctx context.Context, p gitwire.PushRequest) error {
	w.pushes.Add(1)
	w.mu.Lock()
	f := w.onPush
	w.mu.Unlock()
	if f != nil {
		return f(ctx, p, w.Host.Push)
	}
	return w.Host.Push(ctx, p)
}

// meet has f stand between the backend and the host's pushes; nil is nobody.
func (w *wire) meet(f func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onPush = f
}

// Refs implements Host.
func (w *wire) Refs(ctx context.Context, prefixes ...string) ([]store.Ref, error) {
	w.looks.Add(1)
	refs, err := w.Host.Refs(ctx, prefixes...)
	w.mu.Lock()
	f := w.onRefs
	w.mu.Unlock()
	if f != nil && err == nil {
		refs = f(ctx, refs)
	}
	return refs, err
}

// Fetch implements Host.
func (w *wire) Fetch(ctx context.Context, f gitwire.FetchRequest) (*gitwire.Fetched, error) {
	w.fetches.Add(1)
	return w.Host.Fetch(ctx, f)
}

// Able implements Host.
func (w *wire) Able(ctx context.Context) (gitwire.Abilities, error) {
	able, err := w.Host.Able(ctx)
	if w.able != nil {
		w.able(&able)
	}
	return able, err
}

// wireTo is the straight way to a host.
func wireTo(t *testing.T, h *githost.Host) *wire {
	t.Helper()
	r, err := h.Client(nil).Remote(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &wire{Host: r}
}

// A replica is one process's backend on a host.
type replica struct {
	*Backend
	repo *store.Repo
	wire *wire
}

// open starts a replica, whose options settle if it is not nil may change.
func open(t *testing.T, h *githost.Host, settle func(*Options)) *replica {
	t.Helper()
	r, err := tryOpen(t, h, settle)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryOpen(t *testing.T, h *githost.Host, settle func(*Options)) (*replica, error) {
	t.Helper()
	w := wireTo(t, h)
	o := Options{Host: w, Poll: 20 * time.Millisecond}
	if settle != nil {
		settle(&o)
	}
	b, err := Open(soon(t), o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { b.Close() })
	return &replica{b, store.New(b, store.Options{Now: noon}), w}, nil
}

// noon is everybody's clock.
func noon() time.Time { return time.Unix(1700000000, 0).UTC() }

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func change(message string) store.Change {
	who := object.Signature{Name: "Tester", Email: "tester@localhost", When: noon()}
	return store.Change{Author: who, Message: message}
}

// put writes a file on branch main.
func (r *replica) put(t *testing.T, path, content string) {
	t.Helper()
	if err := r.tryPut(soon(t), path, content); err != nil {
		t.Fatalf("put %s: %v", path, err)
	}
}

func (r *replica) tryPut(ctx context.Context, path, content string) error {
	return r.repo.Branch("main").Update(ctx, change("put "+path), func(tx *store.Tx) error { return tx.Put(path, []byte(content)) })
}

// count adds a line to a file: what is done twice shows.
func (r *replica) count(ctx context.Context, line string) error {
	return r.repo.Branch("main").Update(ctx, change("count "+line), func(tx *store.Tx) error { return addLine(tx, line) })
}

func addLine(tx *store.Tx, line string) error {
	old, err := tx.ReadFile("lines")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return tx.Put("lines", append(old, line+"\n"...))
}

// lines are what count has added, as a replica sees it.
func (r *replica) lines(t *testing.T) string {
	t.Helper()
	tree, err := r.repo.Branch("main").Tree(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	data, err := tree.ReadFile("lines")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(data)), " ")
}

// tip is what a replica's main is at; Zero when it does not exist.
func (r *replica) tip(t *testing.T) store.Hash {
	t.Helper()
	ref, err := r.Ref(soon(t), "refs/heads/main")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return ref.Hash
}

// until waits for something that happens soon.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to pass: %s", what)
		}
	}
}

// hostTip is what main is at the host, by stock git.
func hostTip(t *testing.T, h *githost.Host) string {
	t.Helper()
	return strings.TrimSpace(h.Git("rev-parse", "refs/heads/main"))
}

// hostLines are what count has added, as stock git sees it at the host.
func hostLines(t *testing.T, h *githost.Host) string {
	t.Helper()
	return strings.Join(strings.Fields(h.Git("show", "main:lines")), " ")
}

func inMemory(bytes int64) func(*Options) {
	return func(o *Options) { o.Bytes = bytes }
}

// numbered is a name with a number.
func numbered(name string, i int) string { return fmt.Sprintf("%s-%03d", name, i) }

func parse(t *testing.T, hex string) store.Hash {
	t.Helper()
	if !plumbing.IsHash(hex) {
		t.Fatalf("not a hash: %q", hex)
	}
	return plumbing.NewHash(hex)
}
