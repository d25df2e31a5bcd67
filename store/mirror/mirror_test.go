package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/mirror"
	"cairn/store/object"
	"cairn/store/observe"
)

// A lab is a repository that is mirrored to a host.
type lab struct {
	*store.Repo
	host   *githost.Host
	mirror *mirror.Mirror
	below  *mem.Backend // whose commits nobody tells of
}

func newLab(t *testing.T, kind githost.Kind) *lab {
	t.Helper()
	l := &lab{host: githost.New(t, kind), below: mem.New()}
	to, err := l.host.Client(nil).Remote(l.host.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	b := observe.New(l.below, func(c observe.Commit) {
		if c.Err == nil {
			l.mirror.Changed(c.Changes)
		}
	})
	l.mirror = &mirror.Mirror{From: b, To: to, Log: slog.New(slog.DiscardHandler)}
	l.Repo = store.New(b, store.Options{})
	return l
}

func (l *lab) put(t *testing.T, branch, path, content string) {
	t.Helper()
	err := l.Branch(branch).Update(t.Context(), store.Change{Message: "Put " + path}, func(tx *store.Tx) error {
		return tx.Put(path, []byte(content))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (l *lab) sync(t *testing.T) {
	t.Helper()
	if err := l.mirror.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// alike checks that the host has exactly the refs that are here.
func (l *lab) alike(t *testing.T) {
	t.Helper()
	var want []string
	for ref, err := range l.Backend().Refs(t.Context(), "refs/") {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, ref.Hash.String()+" "+ref.Name)
	}
	got := l.host.Git("for-each-ref", "--format=%(objectname) %(refname)")
	if got != strings.Join(want, "\n") {
		t.Errorf("the host has\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	l.host.Git("fsck", "--strict")
}

func TestSync(t *testing.T) {
	for _, kind := range []githost.Kind{githost.Cairn, githost.HTTPBackend, githost.SSHD} {
		t.Run(string(kind), func(t *testing.T) {
			l := newLab(t, kind)
			for i := range 5 {
				l.put(t, "main", fmt.Sprintf("dir/f%d", i), strings.Repeat("x", 1000*i))
				l.put(t, "other", "f", fmt.Sprint(i))
			}
			l.sync(t)
			l.alike(t)
			l.put(t, "main", "dir/f1", "changed")
			if err := l.Branch("other").Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.put(t, "third", "f", "new")
			l.sync(t)
			l.alike(t)
			if s := l.mirror.Status(); !s.Behind.IsZero() || s.Err != nil {
				t.Errorf("got status %+v, want one that is not behind", s)
			}
		})
	}
}

// TestRewritten carries over a history that has been rewritten here.
func TestRewritten(t *testing.T) {
	l := newLab(t, githost.Cairn)
	l.put(t, "main", "f", "1")
	l.put(t, "main", "f", "2")
	l.put(t, "clean", "f", "2")
	l.sync(t)
	old, clean := l.tip(t, "main"), l.tip(t, "clean")
	if err := l.Branch("main").Rewrite(t.Context(), store.Change{Message: "Purge"}, old, clean); err != nil {
		t.Fatal(err)
	}
	l.sync(t)
	l.alike(t)
}

func (l *lab) tip(t *testing.T, branch string) store.Hash {
	t.Helper()
	ref, err := l.Backend().Ref(t.Context(), "refs/heads/"+branch)
	if err != nil {
		t.Fatal(err)
	}
	return ref.Hash
}

// TestForeign leaves alone what somebody else has put into the backup, and
// carries over the rest.
func TestForeign(t *testing.T) {
	l := newLab(t, githost.Cairn)
	l.put(t, "main", "f", "1")
	l.put(t, "other", "f", "1")
	l.sync(t)
	tree := l.host.Git("mktree")
	theirs := l.host.Git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-m", "theirs", tree)
	l.host.Git("update-ref", "refs/heads/main", theirs)
	l.host.Git("update-ref", "refs/heads/readme", theirs)
	l.put(t, "main", "f", "2")
	l.put(t, "other", "f", "2")
	l.mirror.Changed([]store.RefChange{{Name: "refs/heads/readme"}})
	var foreign *mirror.ForeignError
	if err := l.mirror.Sync(t.Context()); !errors.As(err, &foreign) || len(foreign.Refs) != 2 {
		t.Errorf("got %v, want a ForeignError of main and readme", err)
	}
	if got := l.host.Git("rev-parse", "main", "readme", "other"); got != theirs+"\n"+theirs+"\n"+l.tip(t, "other").String() {
		t.Errorf("the host has\n%s", got)
	}
}

// TestRun mirrors while commits come, with the host away for a while.
func TestRun(t *testing.T) {
	l := newLab(t, githost.Cairn)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.mirror.Run(ctx) })
	for i := range 20 {
		switch i {
		case 5:
			l.host.Stop()
		case 15:
			l.host.Start()
		}
		l.put(t, "main", "f", fmt.Sprint(i))
	}
	deadline := time.Now().Add(3 * time.Minute)
	for s := l.mirror.Status(); !s.Behind.IsZero() || s.Err != nil; s = l.mirror.Status() {
		if time.Now().After(deadline) {
			t.Fatalf("got status %+v", s)
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	l.alike(t)
}

func TestRestore(t *testing.T) {
	l := newLab(t, githost.Cairn)
	for i := range 5 {
		l.put(t, "main", fmt.Sprintf("f%d", i), fmt.Sprint(i))
	}
	l.sync(t)
	into := mem.New()
	refs, err := mirror.Restore(t.Context(), l.mirror.To, into)
	if err != nil {
		t.Fatal(err)
	}
	if len(refs) != 1 || refs[0].Hash != l.tip(t, "main") {
		t.Errorf("restored %v", refs)
	}
	if _, err := store.New(into, store.Options{}).Branch("main").Tree(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := mirror.Restore(t.Context(), l.mirror.To, into); !errors.Is(err, mirror.ErrNotEmpty) {
		t.Errorf("restored over it: got %v, want ErrNotEmpty", err)
	}
}

func TestVerify(t *testing.T) {
	l := newLab(t, githost.HTTPBackend)
	l.put(t, "main", "f", "1")
	l.put(t, "other", "f", "1")
	l.sync(t)
	verify := func() (mirror.Report, error) {
		return mirror.Verify(t.Context(), l.Backend(), l.mirror.To, mem.New())
	}
	if r, err := verify(); err != nil || !r.OK() || r.Same != 2 {
		t.Errorf("got %+v, %v, want two alike", r, err)
	}
	l.put(t, "main", "f", "2")
	l.put(t, "third", "f", "1")
	l.host.Git("update-ref", "refs/heads/foreign", l.host.Git("-c", "user.name=x", "-c", "user.email=x@localhost",
		"commit-tree", "-m", "theirs", l.tip(t, "other").String()+"^{tree}"))
	r, err := verify()
	if err != nil || r.OK() || r.Same != 1 || len(r.Behind) != 1 || len(r.Missing) != 1 || len(r.Foreign) != 1 {
		t.Errorf("got %+v, %v, want one of each", r, err)
	}
	// What the backup has lost is found.
	blob := object.Object{Type: object.TypeBlob, Data: []byte("1")}.Hash().String()
	if err := os.Remove(filepath.Join(l.host.Dir, "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	if r, err := verify(); err == nil {
		t.Errorf("a backup that lacks a file was taken for good: %+v", r)
	}
}

// TestForeignStays carries over what comes at once, beside what somebody else has put
// into the backup, and tells of that for as long as it is there.
func TestForeignStays(t *testing.T) {
	l := newLab(t, githost.Cairn)
	l.put(t, "main", "f", "1")
	theirs := l.host.Git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-m", "theirs", l.host.Git("mktree"))
	l.host.Git("update-ref", "refs/heads/readme", theirs)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.mirror.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	var foreign *mirror.ForeignError
	for i := range 20 {
		l.put(t, "main", "f", fmt.Sprint("new ", i))
		await(t, func() bool {
			return l.host.Git("for-each-ref", "--format=%(objectname)", "refs/heads/main") == l.tip(t, "main").String()
		})
		await(t, func() bool { return errors.As(l.mirror.Status().Err, &foreign) })
	}
}

// TestUntold carries over what nobody has told of, however often it is told of others.
func TestUntold(t *testing.T) {
	l := newLab(t, githost.Cairn)
	l.mirror.Every = 50 * time.Millisecond
	l.put(t, "main", "f", "1")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.mirror.Run(ctx) })
	wg.Go(func() {
		for ctx.Err() == nil {
			l.mirror.Changed([]store.RefChange{{Name: "refs/heads/main"}})
			time.Sleep(time.Millisecond)
		}
	})
	defer wg.Wait()
	defer cancel()
	has := func(ref string) bool { return l.host.Git("for-each-ref", ref) != "" }
	await(t, func() bool { return has("refs/heads/main") })
	quiet := store.RefChange{Name: "refs/heads/quiet", New: l.tip(t, "main")}
	if err := l.below.Commit(t.Context(), nil, []store.RefChange{quiet}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return has(quiet.Name) })
}

// await polls until something holds.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to hold")
		}
	}
}

// TestDeclined carries over what a backup does not refuse.
func TestDeclined(t *testing.T) {
	l := newLab(t, githost.HTTPBackend)
	l.put(t, "main", "f", "1")
	l.put(t, "other", "f", "1")
	l.host.Git("update-ref", "refs/heads/site/x/y", l.host.Git("-c", "user.name=x", "-c", "user.email=x@localhost",
		"commit-tree", "-m", "theirs", l.host.Git("mktree")))
	l.put(t, "site/x", "f", "cannot be where there is site/x/y")
	if err := l.mirror.Sync(t.Context()); err == nil {
		t.Error("all went well")
	}
	if got, want := l.host.Git("rev-parse", "main", "other"), l.tip(t, "main").String()+"\n"+l.tip(t, "other").String(); got != want {
		t.Errorf("the host has\n%s\nwant\n%s", got, want)
	}
}

// TestAsked asks nothing of a backup but to take what has changed.
func TestAsked(t *testing.T) {
	l := newLab(t, githost.Cairn)
	l.put(t, "main", "f", "1")
	l.sync(t)
	client := l.host.Client(nil)
	requests := &counting{RoundTripper: client.HTTP}
	client.HTTP = requests
	to, err := client.Remote(l.host.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	l.mirror.To = to
	l.put(t, "main", "f", "2")
	l.sync(t)
	before := requests.n.Load()
	for i := range 10 {
		l.put(t, "main", "f", fmt.Sprint("more ", i))
		l.sync(t)
	}
	l.alike(t)
	if n := requests.n.Load() - before; n > 11 {
		t.Errorf("%d requests for 10 commits, want one each", n)
	}
}

// counting counts requests.
type counting struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}
