package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

func long() bool { return os.Getenv("CAIRN_LONG") == "1" }

// Twenty pushes at a time with the same old value: one wins each round, and every
// one that was said to have won is in the history at the end.
func TestPushRace(t *testing.T) {
	for name := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := labOver(t, name)
			objs, tip := chain(100, "begin")
			got := rawPush(t, l.view(), "", packOf(t, objs...), Command{Name: "refs/heads/main", New: tip})
			if got != wholly {
				t.Fatalf("report: got %q, want %q", got, wholly)
			}
			for round := range 15 {
				next := raceRound(t, l, round, tip)
				if next == tip {
					t.Fatalf("round %d: nobody won", round)
				}
				l.want("refs/heads/main", next.String())
				tip = next
			}
		})
	}
}

// raceRound has twenty pushers push onto tip and returns the winner's commit.
func raceRound(t *testing.T, l *lab, round int, tip store.Hash) store.Hash {
	const pushers = 20
	winners := make(chan store.Hash, pushers)
	var wg sync.WaitGroup
	for i := range pushers {
		wg.Go(func() {
			objs, next := chain(200+round, fmt.Sprint(round, " ", i), tip)
			got := rawPush(t, l.view(), "", packOf(t, objs...), Command{Name: "refs/heads/main", Old: tip, New: next})
			if got == wholly {
				winners <- next
			} else if want := "unpack ok; ng refs/heads/main stale info: main has moved, fetch first"; got != want {
				t.Errorf("report: got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
	close(winners)
	if got, want := len(winners), 1; got != want {
		t.Errorf("round %d: got %d winners, want %d", round, got, want)
	}
	for next := range winners {
		tip = next
	}
	return tip
}

// The same with clones and stock git, over HTTP and SSH at once.
func TestCloneRace(t *testing.T) {
	needSSH(t)
	clones, rounds := 5, 2
	if long() {
		clones, rounds = 20, 5
	}
	l := labOver(t, "gitdir")
	urls := []string{l.http, l.ssh}
	dirs := make([]string, clones)
	for i := range dirs {
		dirs[i] = l.clone(urls[i%2])
	}
	l.commit(dirs[0], "f", "begin")
	l.git(dirs[0], "push", "-q", "origin", "main")
	for round := range rounds {
		var wg sync.WaitGroup
		won := make([]bool, clones)
		for i, dir := range dirs {
			l.git(dir, "fetch", "-q", "origin", "main")
			l.git(dir, "reset", "-q", "--hard", "FETCH_HEAD")
			l.commit(dir, fmt.Sprint("f", i), fmt.Sprint(round))
		}
		for i, dir := range dirs {
			wg.Go(func() {
				_, err := l.try(dir, "push", "-q", "origin", "HEAD:main")
				won[i] = err == nil
			})
		}
		wg.Wait()
		winner := -1
		for i, ok := range won {
			switch {
			case ok && winner >= 0:
				t.Errorf("round %d: clones %d and %d have both won", round, winner, i)
			case ok:
				winner = i
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody won", round)
		}
		l.want("refs/heads/main", l.git(dirs[winner], "rev-parse", "HEAD"))
	}
	if got := l.git(l.dir, "rev-list", "--count", "refs/heads/site/www/main"); got != fmt.Sprint(rounds+1) {
		t.Errorf("commits: got %s, want %d", got, rounds+1)
	}
	l.fsck()
}

// A troubled backend fails where it is told to, and counts what becomes of packs.
type troubled struct {
	receivingBackend
	commit, keep    error
	kept, discarded int
}

func (b *troubled) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if b.commit != nil {
		return b.commit
	}
	return b.receivingBackend.Commit(ctx, objs, changes)
}

func (b *troubled) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	q, err := b.receivingBackend.Receive(ctx, r, base, lim)
	if err != nil {
		return nil, err
	}
	return &watchedQuarantine{q, b}, nil
}

type watchedQuarantine struct {
	store.Quarantine
	b *troubled
}

func (q *watchedQuarantine) Keep(ctx context.Context) error {
	if q.b.keep != nil {
		return q.b.keep
	}
	q.b.kept++
	return q.Quarantine.Keep(ctx)
}

func (q *watchedQuarantine) Discard() {
	q.b.discarded++
	q.Quarantine.Discard()
}

// What goes wrong with the storage is told in plain words, without its secrets,
// and passes.
func TestPushTroubles(t *testing.T) {
	b := &troubled{receivingBackend: newMemory(t)}
	l := &lab{t: t, backend: b}
	objs, tip := chain(100, "1")
	push := func() string {
		return rawPush(t, l.view(), "", packOf(t, objs...), Command{Name: "refs/heads/main", New: tip})
	}
	full := fmt.Errorf("write /srv/secret/place: %w", store.ErrTemporary)
	const later = "unpack ok; ng refs/heads/main the storage is unavailable for the moment, try again later"
	b.keep = full
	if got := push(); got != later {
		t.Errorf("disk full at Keep: got %q, want %q", got, later)
	}
	b.keep, b.commit = nil, full
	if got := push(); got != later {
		t.Errorf("disk full at Commit: got %q, want %q", got, later)
	}
	b.commit = errors.New("mkdir /srv/secret/place: is a file")
	if got, want := push(), "unpack ok; ng refs/heads/main cannot update the ref"; got != want {
		t.Errorf("broken: got %q, want %q", got, want)
	}
	b.commit = nil
	b.kept, b.discarded = 0, 0
	l.allow = func(*Push, Command) error { return errors.New("not today\nnor tomorrow") }
	if got, want := push(), "unpack ok; ng refs/heads/main not today nor tomorrow"; got != want {
		t.Errorf("refused: got %q, want %q", got, want)
	}
	if b.kept != 0 || b.discarded == 0 {
		t.Errorf("a refused push: pack kept %d times, discarded %d times, want 0 and some", b.kept, b.discarded)
	}
	l.allow = nil
	if got := push(); got != wholly {
		t.Errorf("recovered: got %q, want %q", got, wholly)
	}

	// A panic in a check ends the push, not the server.
	l.accept = func(context.Context, *Push) error { panic("oops") }
	next, second := chain(200, "2", tip)
	got := rawPush(t, l.view(), "", packOf(t, next...), Command{Name: "refs/heads/main", Old: tip, New: second})
	if strings.Contains(got, "oops") || strings.Contains(got, "; ok") {
		t.Errorf("panic: got %q, want no success and no details", got)
	}
	l.want("refs/heads/main", tip.String())
}

// A ref that somebody else moves between the checks and the write is refused;
// the others of a push that is not atomic go on.
func TestPushLosesAtTheLastMoment(t *testing.T) {
	for _, caps := range []string{"", "atomic"} {
		b := newMemory(t)
		l := &lab{t: t, backend: b}
		objs, tip := chain(100, "1")
		if got := rawPush(t, l.view(), "", packOf(t, objs...), Command{Name: "refs/heads/main", New: tip}); got != wholly {
			t.Fatal(got)
		}
		other, moved := chain(150, "other", tip)
		l.backend = &intruder{receivingBackend: b, first: func() {
			err := b.Commit(context.Background(), other, []store.RefChange{{Name: "refs/heads/site/www/main", Old: tip, New: moved}})
			if err != nil {
				t.Error(err)
			}
		}}
		next, second := chain(200, "2", tip)
		got := rawPush(t, l.view(), caps, packOf(t, next...),
			Command{Name: "refs/heads/main", Old: tip, New: second}, Command{Name: "refs/heads/new", New: second})
		want := "unpack ok; ng refs/heads/main stale info: main has moved, fetch first; ok refs/heads/new"
		if caps == "atomic" {
			want = strings.Replace(want, "ok refs/heads/new", "ng refs/heads/new atomic push failure", 1)
		}
		if got != want {
			t.Errorf("report: got %q, want %q", got, want)
		}
		l.want("refs/heads/main", moved.String())
	}
}

// An intruder does something just before the first write.
type intruder struct {
	receivingBackend
	first func()
}

func (b *intruder) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if b.first != nil {
		b.first()
		b.first = nil
	}
	return b.receivingBackend.Commit(ctx, objs, changes)
}
