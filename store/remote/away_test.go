package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cairn/internal/fault"
	"cairn/internal/githost"
	"cairn/store"
)

// A host that goes away: writes fail at once and without dialling, reads go on, and all heals
// alone.
func TestAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	var dials atomic.Int64
	client := h.Client(func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	})
	host, err := client.Remote(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(soon(t), Options{Host: host, Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := &replica{Backend: b, repo: store.New(b, store.Options{Now: noon})}
	r.put(t, "a", "1")
	if s := r.Status(); !s.Away.IsZero() || s.Err != nil || s.Contact.IsZero() || s.Refs != 1 {
		t.Errorf("status: got %+v, want that all is well", s)
	}

	h.Stop()
	until(t, "it is noticed that the host is away", func() bool { return !r.Status().Away.IsZero() })
	const writes = 50
	before := dials.Load()
	begin := time.Now()
	for range writes {
		if err := r.tryPut(soon(t), "a", "2"); !errors.Is(err, ErrAway) || !errors.Is(err, store.ErrTemporary) {
			t.Errorf("write: got %v, want %v", err, ErrAway)
		}
	}
	if n := dials.Load() - before; n > writes/5 && time.Since(begin) < time.Second {
		t.Errorf("%d writes dialled %d times", writes, n)
	}
	tree, err := r.repo.Branch("main").Tree(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.ReadFile("a"); err != nil || string(got) != "1" {
		t.Errorf("read: got %q, %v, want 1", got, err)
	}
	if s := r.Status(); s.Away.IsZero() || s.Err == nil {
		t.Errorf("status: got %+v, want that the host is away and why", s)
	}

	h.Start()
	until(t, "the host is found again", func() bool { return r.Status().Away.IsZero() })
	r.put(t, "a", "3")
}

// A host that stands still is away after Options.Timeout, and what it was asked for is
// temporary.
func TestStall(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	p := fault.New(t, h.Addr)
	host, err := h.Client(p.Dial).Remote(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(soon(t), Options{Host: host, Timeout: standstill, Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := &replica{Backend: b, repo: store.New(b, store.Options{Now: noon})}
	r.put(t, "a", "1")
	p.Plan(func() fault.Fault { return fault.Fault{Kind: fault.Stall} })
	if err := r.tryPut(soon(t), "a", "2"); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("write: got %v, want %v", err, store.ErrTemporary)
	}
	until(t, "the host is away", func() bool { return !r.Status().Away.IsZero() })
	p.Plan(nil)
	p.Sever()
	until(t, "the host is found again", func() bool { return r.tryPut(soon(t), "a", "3") == nil })
}

// What is slow but moves is not a stall.
func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := newWatch(t.Context(), time.Second)
		defer w.stop()
		r, in := io.Pipe()
		go func() {
			for range 20 {
				time.Sleep(900 * time.Millisecond)
				in.Write([]byte("x"))
			}
			in.Close()
		}()
		if got, err := io.ReadAll(watchedReader{w, r}); err != nil || len(got) != 20 || ctx.Err() != nil {
			t.Errorf("read: got %q, %v, context %v", got, err, ctx.Err())
		}
		<-ctx.Done()
		if err := w.cause(ctx.Err()); !errors.Is(err, store.ErrTemporary) {
			t.Errorf("after standing still: got %v, want %v", err, store.ErrTemporary)
		}
	})
}
