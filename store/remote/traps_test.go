package remote_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"cairn/internal/fault"
	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
	"cairn/store/remote"
)

// The known ways in which programs that keep their state at a git host lose it. Each
// has tests here, and traps_sabotage_test.go puts each back on purpose.

// trapKinds are our own servers and a stock one; of those of readableKinds the proxy
// can tell which request is which.
var (
	trapKinds     = []githost.Kind{githost.Cairn, githost.PlainHTTP, githost.CairnSSH}
	readableKinds = trapKinds[:2]
)

func overTrapKinds(t *testing.T, test func(t *testing.T, b *bench)) {
	over(t, trapKinds, test)
}

func over(t *testing.T, kinds []githost.Kind, test func(t *testing.T, b *bench)) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, kind)
			mustWrite(t, b.other, "main", "first")
			test(t, b)
		})
	}
}

// The old value of a push is what the change stands on. Were it what the host has
// just said to have, a push would be a silent force-push.
func TestTrapOldFromAdvertisement(t *testing.T) {
	overTrapKinds(t, func(t *testing.T, b *bench) {
		back, repo := b.openDeaf(&deaf{})
		mustWrite(t, repo, "main", "second") // and the connection is warm
		stale := b.at("main")
		mustWrite(t, b.other, "main", "others")
		theirs := b.at("main")

		objs, ours := commitOn(t, back, stale)
		err := back.Commit(t.Context(), objs, []store.RefChange{{Name: "refs/heads/main", Old: stale, New: ours}})
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) || conflict.Actual != theirs {
			t.Errorf("got %v, want a conflict with %v", err, theirs)
		}
		b.holds("main", "first second others")

		// And one that cannot have been warm.
		_, cold := b.openDeaf(&deaf{})
		mustWrite(t, b.other, "main", "again")
		mustWrite(t, cold, "main", "third")
		b.holds("main", "first second others again third")
	})
}

// commitOn makes a commit of nothing on another.
func commitOn(t *testing.T, objs store.Objects, parent store.Hash) ([]object.Object, store.Hash) {
	t.Helper()
	tree := object.Object{Type: object.TypeTree}
	c := object.Commit{Tree: tree.Hash(), Parents: []store.Hash{parent}, Author: change("").Author, Committer: change("").Author, Message: "ours\n"}
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	return []object.Object{tree, o}, o.Hash()
}

// An ng in the report is an error, although the request as a whole went well.
func TestTrapIgnoredRefusal(t *testing.T) {
	overTrapKinds(t, func(t *testing.T, b *bench) {
		_, repo := b.openDeaf(&deaf{})
		mustWrite(t, repo, "main", "second")
		for name, hooks := range map[string]githost.Hooks{
			"all":     {Decline: "not today"},
			"one ref": {DeclineRef: "refs/heads/main"},
		} {
			b.Hooks(hooks)
			err := write(repo, "main", "declined")
			var refused *store.RefusedError
			if !errors.As(err, &refused) || refused.Ref != "refs/heads/main" || refused.Reason == "" {
				t.Errorf("%s declined: got %v, want a RefusedError for main, with a reason", name, err)
			}
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s declined: got %v, want %v", name, err, fs.ErrPermission)
			}
			if got, want := log(t, repo, "main"), "first second"; got != want {
				t.Errorf("%s declined: reads show %q, want %q", name, got, want)
			}
			b.holds("main", "first second")
		}
		b.Hooks(githost.Hooks{})
		mustWrite(t, repo, "main", "third")
		b.holds("main", "first second third")
	})
}

// When the answer to a push is lost, the push may have landed: who makes the
// change again without a look makes it twice.
func TestTrapBlindRetry(t *testing.T) {
	over(t, readableKinds, func(t *testing.T, b *bench) {
		d := &deaf{}
		repo := b.openTicking(d)
		mustWrite(t, repo, "main", "second")
		d.before = func() {
			d.before = nil
			b.proxy.Plan(fault.Once(0, fault.Fault{Kind: fault.Drop}))
		}
		mustWrite(t, repo, "main", "third")
		b.holds("main", "first second third")
		if b.proxy.Faults() != 1 {
			t.Errorf("faults: got %d, want the one", b.proxy.Faults())
		}
		if got, want := log(t, repo, "main"), "first second third"; got != want {
			t.Errorf("reads show %q, want %q", got, want)
		}
	})
}

// The same, and somebody has gone on from there before the look.
func TestTrapBlindRetryOvertaken(t *testing.T) {
	over(t, readableKinds, func(t *testing.T, b *bench) {
		d := &deaf{}
		repo := b.openTicking(d)
		mustWrite(t, repo, "main", "second")
		d.before = func() {
			d.before = nil
			b.proxy.Plan(fault.Once(0, fault.Fault{Kind: fault.Drop}))
			d.asked = func() {
				d.asked = nil
				mustWrite(t, b.other, "main", "others")
			}
		}
		mustWrite(t, repo, "main", "third")
		mustWrite(t, repo, "main", "fourth")
		b.holds("main", "first second third others fourth")
	})
}

// When it was the request that was lost, the change is made, once.
func TestTrapLostRequest(t *testing.T) {
	overTrapKinds(t, func(t *testing.T, b *bench) {
		for i, f := range []fault.Fault{
			{Kind: fault.Reset},
			{Kind: fault.Reset, After: 300},
			{Kind: fault.Truncate, After: 300},
			{Kind: fault.Cut, After: 450},
			{Kind: fault.DoubleFirst},
			{Kind: fault.DoubleLater},
		} {
			d := &deaf{}
			branch := fmt.Sprint("b", i)
			mustWrite(t, b.other, branch, "first")
			repo := b.openTicking(d)
			mustWrite(t, repo, branch, "second")
			d.before = func() {
				d.before = nil
				b.proxy.Plan(fault.Once(0, f))
			}
			err := write(repo, branch, "third")
			b.proxy.Plan(nil)
			switch {
			case err == nil:
				b.holds(branch, "first second third")
			case !errors.Is(err, store.ErrTemporary):
				t.Errorf("%v: got %v, want %v", f, err, store.ErrTemporary)
			case !errors.Is(err, gitwire.ErrInDoubt):
				b.holds(branch, "first second")
			}
		}
	})
}

// A force-push by somebody else is noticed and reported, and never overwritten;
// reads stay where they were.
func TestTrapForcePush(t *testing.T) {
	overTrapKinds(t, func(t *testing.T, b *bench) {
		first := b.at("main")
		_, unaware := b.openDeaf(&deaf{})
		aware, follower := b.open(remote.Options{})
		mustWrite(t, follower, "main", "second")
		mustWrite(t, unaware, "main", "third")
		soon(t, "the follower sees it", func() bool { return log(t, follower, "main") == "first second third" })

		good := b.at("main")
		b.force("main", first)
		mustWrite(t, b.other, "main", "forced")
		forced := b.at("main")
		refuses := func(name string, repo *store.Repo) {
			err := write(repo, "main", "fourth")
			var rewound *remote.RewoundError
			if !errors.As(err, &rewound) || rewound.Ref != "refs/heads/main" || rewound.Good != good || rewound.Host != forced {
				t.Errorf("%s: got %v, want a RewoundError", name, err)
			}
			if got, want := log(t, repo, "main"), "first second third"; got != want {
				t.Errorf("%s: reads show %q, want %q", name, got, want)
			}
		}
		refuses("unaware", unaware)
		if t.Failed() {
			return
		}
		soon(t, "it is reported", func() bool {
			rewound := aware.Status().Rewound
			return len(rewound) == 1 && rewound[0].Ref == "refs/heads/main" && rewound[0].Good == good && rewound[0].Host == forced
		})
		refuses("follower", follower)
		mustWrite(t, follower, "other", "others go on")
		if got := b.at("main"); got != forced {
			t.Errorf("the host's main: got %v, want what was forced, %v", got, forced)
		}

		// Put back where it was, it is good again.
		b.force("main", good)
		soon(t, "it is good again", func() bool { return write(follower, "main", "fourth") == nil })
		b.holds("main", "first second third fourth")
	})
}

// Two replicas that make the same change to the same snapshot in the same second must not
// make the same commit: each would take the other's for its own.
func TestTrapIdenticalCommits(t *testing.T) {
	overTrapKinds(t, func(t *testing.T, b *bench) {
		_, one := b.openDeaf(&deaf{})
		_, two := b.openDeaf(&deaf{})
		for _, repo := range []*store.Repo{one, two} {
			if err := repo.Branch("main").Update(t.Context(), change("tick"), count); err != nil {
				t.Fatal(err)
			}
		}
		_, ticks, err := contents(b.other, b.at("main"))
		if err != nil || ticks != 2 {
			t.Errorf("counted up twice: got %d, %v, want 2", ticks, err)
		}
	})
}
