package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A gate is a backend whose Commit waits until it is let through, and may be
// made to fail.
type gate struct {
	store.Backend
	arrived chan []store.RefChange
	pass    chan error
}

func newGate() *gate {
	return &gate{mem.New(), make(chan []store.RefChange), make(chan error)}
}

func (g *gate) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	g.arrived <- changes
	if err := <-g.pass; err != nil {
		return err
	}
	return g.Backend.Commit(ctx, objs, changes)
}

// next waits for a Commit, lets it end with err and returns the refs it was to
// move.
func (g *gate) next(err error) (refs []string) {
	for _, c := range <-g.arrived {
		refs = append(refs, c.Name)
	}
	slices.Sort(refs)
	g.pass <- err
	return refs
}

// updates starts an Update for each name and waits until all wait for
// something.
type updates struct {
	t    *testing.T
	repo *store.Repo
	errs map[string]error
	mu   sync.Mutex
	wg   sync.WaitGroup
}

func (u *updates) start(name string, f func(*store.Tx) error) {
	u.wg.Go(func() {
		err := u.repo.Branch(name).Update(context.Background(), change("update"), f)
		u.mu.Lock()
		defer u.mu.Unlock()
		u.errs[name] = errors.Join(u.errs[name], err)
	})
	synctest.Wait()
}

func newUpdates(t *testing.T, b store.Backend) *updates {
	return &updates{t: t, repo: store.New(b, store.Options{}), errs: map[string]error{}}
}

func write(path string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.Put(path, []byte(path)) }
}

// TestGroupCommit: what comes while a commit runs becomes one commit.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		u.start("a", write("first"))
		for i := range 10 {
			u.start("a", write(fmt.Sprint(i)))
			u.start("b", write(fmt.Sprint(i)))
		}
		if got := g.next(nil); !slices.Equal(got, []string{"refs/heads/a"}) {
			t.Errorf("first commit: got %q, want a alone", got)
		}
		if got := g.next(nil); !slices.Equal(got, []string{"refs/heads/a", "refs/heads/b"}) {
			t.Errorf("second commit: got %q, want a and b", got)
		}
		u.wg.Wait()
		n := 0
		for _, err := range u.repo.Branch("a").Log(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 11 {
			t.Errorf("log: got %d commits, want 11", n)
		}
		for name, err := range u.errs {
			if err != nil {
				t.Errorf("update of %s: %v", name, err)
			}
		}
	})
}

// TestTemporaryError goes to all of its batch, and what stands on it runs
// again.
func TestTemporaryError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		full := fmt.Errorf("disk full: %w", store.ErrTemporary)
		u.start("a", write("1"))
		runs := 0
		u.start("a", func(tx *store.Tx) error {
			if runs++; runs == 2 {
				if _, err := tx.Lookup("1"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("second run sees what was not committed: got %v", err)
				}
			}
			return tx.Put("2", nil)
		})
		g.next(full)
		synctest.Wait()
		if runs != 2 {
			t.Errorf("got %d runs of the second update, want 2", runs)
		}
		if err := u.errs["a"]; !errors.Is(err, store.ErrTemporary) {
			t.Errorf("first update: got %v, want %v", err, store.ErrTemporary)
		}
		g.next(nil)
		u.wg.Wait()
		if got := show(t, tree(t, u.repo.Branch("a"))); got != "2=" {
			t.Errorf("got %s, want 2=", got)
		}
	})
}

// TestResultWaits: an update that finds nothing to do, or something wrong,
// because of another that is not durable yet, waits for that one.
func TestResultWaits(t *testing.T) {
	boom := errors.New("it is there already")
	for _, test := range []struct {
		name string
		f    func(*store.Tx) error
		want error // when the other update becomes durable
	}{
		{"nothing to do", write("x"), nil},
		{"error", func(tx *store.Tx) error {
			if _, err := tx.Lookup("x"); err == nil {
				return boom
			}
			return tx.Put("x", []byte("mine"))
		}, boom},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				u := newUpdates(t, g)
				u.start("a", write("x"))
				second := make(chan error, 1)
				go func() { second <- u.repo.Branch("a").Update(t.Context(), change("second"), test.f) }()
				synctest.Wait()
				if len(second) > 0 {
					t.Fatalf("second update returned %v before the first was durable", <-second)
				}
				g.next(nil)
				u.wg.Wait()
				if err := <-second; !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				u := newUpdates(t, g)
				u.start("a", write("x"))
				second := make(chan error, 1)
				go func() { second <- u.repo.Branch("a").Update(t.Context(), change("second"), test.f) }()
				synctest.Wait()
				g.next(store.ErrTemporary) // the first fails: the second has something to do after all
				g.next(nil)
				u.wg.Wait()
				if err := <-second; err != nil {
					t.Errorf("after the first has failed: got %v, want no error", err)
				}
			})
		})
	}
}

// TestConflict: only those who stand on the branch that has moved run again,
// the rest is committed at once.
func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		u.start("first", write("x"))
		runs := map[string]int{}
		count := func(name string, f func(*store.Tx) error) func(*store.Tx) error {
			return func(tx *store.Tx) error { runs[name]++; return f(tx) }
		}
		u.start("a", count("a", write("1")))
		u.start("b", count("b", write("1")))
		u.wg.Go(func() {
			err := u.repo.Update(t.Context(), change("a and b"), []string{"b", "a"}, func(txs map[string]*store.Tx) error {
				runs["both"]++
				return errors.Join(txs["a"].Put("both", nil), txs["b"].Put("both", nil))
			})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		u.start("b", count("b after", write("2")))
		u.start("c", count("c", write("1")))

		outside := store.New(g.Backend, store.Options{}).Branch("a")
		put(t, outside, "outside", "1")
		g.next(nil)
		for _, want := range [][]string{
			{"refs/heads/a", "refs/heads/b", "refs/heads/c"}, // conflicts on a
			{"refs/heads/b", "refs/heads/c"},                 // without what stands on a
		} {
			if got := g.next(nil); !slices.Equal(got, want) {
				t.Errorf("commit: got %q, want %q", got, want)
			}
		}
		go func() {
			for range g.arrived {
				g.pass <- nil
			}
		}()
		u.wg.Wait()
		close(g.arrived)
		for name, want := range map[string]int{"a": 2, "b": 1, "both": 2, "b after": 2, "c": 1} {
			if runs[name] != want {
				t.Errorf("%s: got %d runs, want %d", name, runs[name], want)
			}
		}
		for branch, want := range map[string]string{"a": "1=1 both= outside=1", "b": "1=1 2=2 both=", "c": "1=1"} {
			if got := show(t, tree(t, u.repo.Branch(branch))); got != want {
				t.Errorf("%s: got %s, want %s", branch, got, want)
			}
		}
	})
}

// TestPendingElsewhere: what an update names by hash, because another that has
// run put it there, is there also when that other one fails.
func TestPendingElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		u.start("first", write("x"))
		var letter, folder object.Entry
		u.start("queue", func(tx *store.Tx) (err error) {
			if err := tx.Put("in/new/letter", []byte("dear")); err != nil {
				return err
			}
			if letter, err = tx.Lookup("in/new/letter"); err != nil {
				return err
			}
			folder, err = tx.Lookup("in")
			return err
		})
		u.start("mail", func(tx *store.Tx) error {
			return errors.Join(tx.Link("inbox/letter", letter), tx.Link("copy", folder))
		})
		put(t, store.New(g.Backend, store.Options{}).Branch("queue"), "outside", "1")
		g.next(nil)
		g.next(nil) // conflicts on queue
		if got := g.next(nil); !slices.Equal(got, []string{"refs/heads/mail"}) {
			t.Errorf("commit: got %q, want mail", got)
		}
		synctest.Wait()
		mail, err := store.New(g.Backend, store.Options{}).Branch("mail").Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := show(t, mail), "copy/new/letter=dear inbox/letter=dear"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		g.next(nil)
		u.wg.Wait()
	})
}

// TestSlowFunction: a function that takes long holds up its own branch alone.
func TestSlowFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpdates(t, mem.New())
		slow := make(chan struct{})
		u.start("slow", func(tx *store.Tx) error {
			<-slow
			return tx.Put("x", nil)
		})
		put(t, u.repo.Branch("quick"), "x", "1")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := u.repo.Branch("slow").Update(ctx, change("queued"), func(*store.Tx) error {
			t.Error("a queued update ran after its context had ended")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("queued update: got %v, want %v", err, context.DeadlineExceeded)
		}
		close(slow)
		u.wg.Wait()
	})
}

func TestPanic(t *testing.T) {
	r := newRepo()
	main := r.Branch("main")
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("recovered %v, want boom", got)
			}
		}()
		_ = main.Update(t.Context(), change("panic"), func(tx *store.Tx) error {
			if err := tx.Put("x", nil); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	put(t, main, "a", "1")
	if got := show(t, tree(t, main)); got != "a=1" {
		t.Errorf("got %s, want a=1", got)
	}
}

func TestNested(t *testing.T) {
	r := newRepo()
	for _, inner := range []string{"main", "other"} {
		err := r.Branch("main").Update(t.Context(), change("outer"), func(*store.Tx) error {
			return r.Branch(inner).Update(t.Context(), change("inner"), write("x"))
		})
		if !errors.Is(err, store.ErrNested) {
			t.Errorf("update of %s inside one of main: got %v, want %v", inner, err, store.ErrNested)
		}
	}
}

func TestBadChanges(t *testing.T) {
	r := newRepo()
	for _, message := range []string{"", " \n", "a\x00b"} {
		if err := r.Branch("main").Update(t.Context(), store.Change{Message: message}, write("x")); err == nil {
			t.Errorf("message %q: got no error", message)
		}
	}
	for _, name := range []string{"", "a..b", "a/", "/a", "a.lock", "a b"} {
		if err := r.Branch(name).Update(t.Context(), change("x"), write("x")); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("branch %q: got %v, want %v", name, err, fs.ErrInvalid)
		}
	}
}

func TestCommitHeaders(t *testing.T) {
	now := time.Unix(1700000000, 5)
	r := store.New(mem.New(), store.Options{
		Committer: object.Signature{Name: "Software", Email: "software@localhost"},
		Now:       func() time.Time { return now },
	})
	main := r.Branch("main")
	own := store.Change{Message: "  tidy up \n\nbody\n\n"}
	if err := main.Update(t.Context(), own, write("x")); err != nil {
		t.Fatal(err)
	}
	rev, _ := tree(t, main).Commit()
	if rev.Author != rev.Committer || rev.Author.Name != "Software" || rev.Message != "tidy up \n\nbody\n" || rev.Committer.When.Unix() != now.Unix() {
		t.Errorf("commit of the software's own: got %+v", rev.Commit)
	}
	then := time.Unix(1600000000, 0)
	dated := change("x")
	dated.Author.When = then
	if err := main.Update(t.Context(), dated, write("y")); err != nil {
		t.Fatal(err)
	}
	if rev, _ := tree(t, main).Commit(); !rev.Author.When.Equal(then) || rev.Author.Name != "Tester" || rev.Committer.Name != "Software" {
		t.Errorf("commit with an author and a date: got %+v", rev.Commit)
	}
}

// TestBusyNeighbour: a branch that an outsider keeps moving does not hold up
// others, and gets its turn in the end.
func TestBusyNeighbour(t *testing.T) {
	r := newRepo()
	outside := store.New(r.Backend(), store.Options{})
	var wg sync.WaitGroup
	const rounds = 50
	for _, repo := range []*store.Repo{r, outside} {
		for _, name := range []string{"busy", "busy", "quiet" + fmt.Sprintf("%p", repo)} {
			wg.Go(func() {
				for i := range rounds {
					err := repo.Branch(name).Update(context.Background(), change("x"), func(tx *store.Tx) error {
						return tx.Put(fmt.Sprintf("%p-%d-%d", tx, i, time.Now().UnixNano()), nil)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	n := 0
	for range tree(t, r.Branch("busy")).Entries(".") {
		n++
	}
	if n != 4*rounds {
		t.Errorf("busy branch: got %d files, want %d", n, 4*rounds)
	}
}
