package remote

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
)

// rewindHost takes the newest commit out of main at the host, and returns what it was and is.
func rewindHost(t *testing.T, h *githost.Host) (old, new store.Hash) {
	t.Helper()
	old = parse(t, hostTip(t, h))
	h.Git("update-ref", "refs/heads/main", "refs/heads/main~1")
	new = parse(t, hostTip(t, h))
	shows(t, h, new)
	return old, new
}

// shows waits until the host shows what stock git has made of main.
func shows(t *testing.T, h *githost.Host, tip store.Hash) {
	t.Helper()
	w := wireTo(t, h)
	until(t, "the host shows it", func() bool {
		refs, err := w.Host.Refs(soon(t), "refs/heads/main")
		return err == nil && len(refs) == 1 && refs[0].Hash == tip
	})
}

func TestRewound(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	for _, line := range []string{"1", "2", "3"} {
		if err := r.count(soon(t), line); err != nil {
			t.Fatal(err)
		}
	}
	good, host := rewindHost(t, h)
	r.Wake()
	until(t, "it is noticed", func() bool { return len(r.Status().Rewound) == 1 })
	check := func(err error) {
		t.Helper()
		rewound, ok := errors.AsType[*RewoundError](err)
		if !ok || rewound.Ref != "refs/heads/main" || rewound.Good != good || rewound.Host != host {
			t.Errorf("got %v, want a RewoundError from %v to %v", err, good, host)
		}
		if errors.Is(err, store.ErrTemporary) {
			t.Errorf("%v is temporary", err)
		}
	}
	check(r.Status().Rewound[0])
	before := r.wire.pushes.Load()
	check(r.count(soon(t), "4"))
	if n := r.wire.pushes.Load() - before; n != 0 {
		t.Errorf("pushed %d times to a rewound branch", n)
	}
	if got, want := r.lines(t), "1 2 3"; got != want {
		t.Errorf("reads: got %q, want %q", got, want)
	}
	if got, want := hostLines(t, h), "1 2"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
	if err := r.repo.Branch("other").Update(soon(t), change("other"), func(tx *store.Tx) error { return tx.Put("x", nil) }); err != nil {
		t.Errorf("write to another branch: %v", err)
	}

	t.Run("back again", func(t *testing.T) {
		h.Git("update-ref", "refs/heads/main", good.String())
		r.Wake()
		until(t, "it is noticed", func() bool { return len(r.Status().Rewound) == 0 })
		if err := r.count(soon(t), "5"); err != nil {
			t.Error(err)
		}
		if got, want := hostLines(t, h), "1 2 3 5"; got != want {
			t.Errorf("at the host: got %q, want %q", got, want)
		}
	})
	t.Run("accepted", func(t *testing.T) {
		_, host := rewindHost(t, h)
		r.Wake()
		until(t, "it is noticed", func() bool { return len(r.Status().Rewound) == 1 })
		if err := r.Accept(soon(t), "refs/heads/main", store.Hash{1}); err == nil || r.tip(t) == host {
			t.Errorf("accepting another commit: got %v", err)
		}
		if err := r.Accept(soon(t), "refs/heads/main", host); err != nil {
			t.Error(err)
		}
		if err := r.count(soon(t), "6"); err != nil {
			t.Error(err)
		}
		if got, want := hostLines(t, h), "1 2 3 6"; got != want {
			t.Errorf("at the host: got %q, want %q", got, want)
		}
	})
}

// Whoever has looked at a commit can have it followed, also after a force-push.
func TestAcceptedBeforehand(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	first := open(t, h, nil)
	first.put(t, "a", "1")
	first.put(t, "a", "2")
	looked := parse(t, h.Git("rev-parse", "refs/heads/main~1"))
	r := open(t, h, func(o *Options) { o.Accept = []store.Hash{looked} })
	if _, host := rewindHost(t, h); host != looked {
		t.Fatalf("rewound to %v, want %v", host, looked)
	}
	r.Wake()
	until(t, "it is followed", func() bool { return r.tip(t) == looked })
	r.put(t, "b", "3")
	if n := len(r.Status().Rewound); n != 0 {
		t.Errorf("%d refs are reported", n)
	}
	first.Wake()
	until(t, "the other notices it", func() bool { return len(first.Status().Rewound) == 1 })
}

// A branch that was replaced by one without a common history.
func TestReplacedByStranger(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	r.put(t, "a", "1")
	commit := h.Git("commit-tree", "-m", "stranger", hostTip(t, h)+"^{tree}")
	h.Git("update-ref", "refs/heads/main", commit)
	r.Wake()
	until(t, "it is noticed", func() bool { return len(r.Status().Rewound) == 1 })
	if got := r.Status().Rewound[0].Host.String(); got != commit {
		t.Errorf("host: got %s, want %s", got, commit)
	}
}

// Branches may be deleted at the host, but not all refs at once.
func TestDeleted(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	r.put(t, "a", "1")
	if _, err := r.repo.Branch("main").Fork(soon(t), "preview"); err != nil {
		t.Fatal(err)
	}
	h.Git("update-ref", "-d", "refs/heads/preview")
	until(t, "the deletion is seen", func() bool {
		_, err := r.Ref(soon(t), "refs/heads/preview")
		return errors.Is(err, fs.ErrNotExist)
	})
	if _, err := r.repo.Branch("main").Fork(soon(t), "other"); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	h.Git("update-ref", "--no-deref", "-d", "refs/heads/main")
	h.Git("update-ref", "-d", "refs/heads/other")
	h.Start()
	until(t, "it is noticed", func() bool { return len(r.Status().Rewound) > 0 })
	if _, err := r.repo.Branch("main").Tree(soon(t)); err != nil {
		t.Errorf("read: %v", err)
	}
}

// Follow decides about every move of others, and about nothing else.
func TestFollow(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	other := open(t, h, nil)
	other.put(t, "a", "1")
	notMine := errors.New("not by my key")
	var refuse atomic.Bool
	refuse.Store(true)
	r := open(t, h, func(o *Options) {
		o.Follow = func(_ context.Context, ref string, old, new store.Hash, objs store.Objects) error {
			if _, err := objs.Object(context.Background(), new); err != nil {
				t.Errorf("follow %s: %v", ref, err)
			}
			if old.IsZero() || !refuse.Load() {
				return nil
			}
			return notMine
		}
	})
	r.put(t, "b", "2")
	first := r.tip(t)
	until(t, "the other sees it", func() bool { return other.tip(t) == first })
	other.put(t, "c", "3")
	until(t, "the refusal is reported", func() bool { return len(r.Status().Rewound) == 1 })
	if err := r.Status().Rewound[0]; !errors.Is(err, notMine) {
		t.Errorf("got %v, want %v", err, notMine)
	}
	if r.tip(t) != first {
		t.Error("what was refused is read")
	}
	refuse.Store(false)
	r.Reconsider()
	until(t, "it is followed after all", func() bool { return r.tip(t) == other.tip(t) && len(r.Status().Rewound) == 0 })
}
