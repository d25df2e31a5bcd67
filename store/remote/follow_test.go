package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

// Each of two replicas sees what the other commits, and both may write to one
// branch.
func TestTwoReplicas(t *testing.T) {
	for _, kind := range []githost.Kind{githost.Cairn, githost.PlainHTTP} {
		t.Run(string(kind), func(t *testing.T) {
			h := githost.New(t, kind)
			replicas := []*replica{open(t, h, nil), open(t, h, nil)}
			const rounds = 8
			var wg sync.WaitGroup
			for i, r := range replicas {
				wg.Go(func() {
					for n := range rounds {
						if err := r.count(context.Background(), fmt.Sprint(i, ".", n)); err != nil {
							t.Errorf("replica %d: %v", i, err)
						}
					}
				})
			}
			wg.Wait()
			for i, r := range replicas {
				until(t, fmt.Sprintf("replica %d sees all", i), func() bool { return r.tip(t).String() == hostTip(t, h) })
				for j := range replicas {
					for n := range rounds {
						if line := fmt.Sprint(j, ".", n); !hasLine(r.lines(t), line) {
							t.Errorf("replica %d lacks %s", i, line)
						}
					}
				}
			}
			if got, want := h.Git("rev-list", "--count", "main"), fmt.Sprint(2*rounds); got != want {
				t.Errorf("commits: got %s, want %s", got, want)
			}
			h.Git("fsck", "--strict")
		})
	}
}

func hasLine(lines, line string) bool {
	for l := range strings.FieldsSeq(lines) {
		if l == line {
			return true
		}
	}
	return false
}

// Who watches a branch is woken by what another replica commits: at once where the host
// tells, at the next look where it has to be asked, and at once when a webhook says so.
func TestWatchers(t *testing.T) {
	for name, settle := range map[string]func(*Options){
		"host tells": func(o *Options) { o.Poll = time.Hour },
		"poll":       func(o *Options) { o.Host.(*wire).able = noWaiting },
		"webhook":    unaware,
	} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			writer, watcher := open(t, h, nil), open(t, h, settle)
			able, err := watcher.wire.Able(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			if name == "host tells" && !able.Wait {
				t.Skip("the host does not tell")
			}
			seen := make(chan string)
			ctx, cancel := context.WithCancel(soon(t))
			var wg sync.WaitGroup
			wg.Go(func() {
				for tree, err := range watcher.repo.Branch("main").Watch(ctx) {
					if err != nil {
						t.Error(err)
						return
					}
					data, err := tree.ReadFile("a")
					if err != nil {
						t.Error(err)
					}
					select {
					case seen <- string(data):
					case <-ctx.Done():
					}
				}
			})
			for _, content := range []string{"1", "2", "3"} {
				writer.put(t, "a", content)
				if name == "webhook" {
					watcher.Wake()
				}
				select {
				case got := <-seen:
					if got != content {
						t.Errorf("seen: got %q, want %q", got, content)
					}
				case <-ctx.Done():
					t.Fatalf("%s is not seen", content)
				}
			}
			cancel()
			wg.Wait()
		})
	}
}

// Conflicts carry what the ref is, and that can be read at once.
func TestConflictIsReadable(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	a, b := open(t, h, unaware), open(t, h, unaware)
	a.put(t, "a", "1")
	objs := lone(1)
	want := store.RefChange{Name: "refs/heads/main", New: objs[1].Hash()}
	err := b.Commit(soon(t), objs, []store.RefChange{want})
	conflict, ok := errors.AsType[*store.ConflictError](err)
	if !ok || conflict.Change != want || conflict.Actual != a.tip(t) {
		t.Fatalf("got %v, want a conflict with %v", err, a.tip(t))
	}
	if b.tip(t) != a.tip(t) {
		t.Errorf("after a conflict: got %v, want %v", b.tip(t), a.tip(t))
	}
	if _, err := b.Held().Object(soon(t), a.tip(t)); err != nil {
		t.Errorf("the new value is not here: %v", err)
	}
}

// Replicas that do the same at the same time make commits that differ, and stock git
// takes them.
func TestCommitsDiffer(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	var tips []store.Hash
	for i, branch := range []string{"x", "y"} {
		r := open(t, h, nil)
		err := r.repo.Branch(branch).Update(soon(t), change("the same"), func(tx *store.Tx) error { return tx.Put("a", []byte("1")) })
		if err != nil {
			t.Fatal(err)
		}
		ref, err := r.Ref(soon(t), "refs/heads/"+branch)
		if err != nil {
			t.Fatalf("replica %d: %v", i, err)
		}
		tips = append(tips, ref.Hash)
	}
	if tips[0] == tips[1] {
		t.Errorf("both made %v", tips[0])
	}
	h.Git("fsck", "--strict")
}

// Many writers at the same time share pushes, and a push is all that a commit takes.
func TestPushesAreShared(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, unaware)
	r.put(t, "a", "1")
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		timer := time.NewTimer(20 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		return push(ctx, p)
	})
	const writers, rounds = 32, 4
	pushes, looks, fetches := r.wire.pushes.Load(), r.wire.looks.Load(), r.wire.fetches.Load()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range rounds {
				r.put(t, numbered("f", w), fmt.Sprint(n))
			}
		})
	}
	wg.Wait()
	if n := r.wire.pushes.Load() - pushes; n > writers*rounds/4 {
		t.Errorf("%d updates took %d pushes", writers*rounds, n)
	}
	if n := r.wire.looks.Load() - looks + r.wire.fetches.Load() - fetches; n != 0 {
		t.Errorf("the host was asked %d times besides", n)
	}
}
