package lazy_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
)

func read(t *testing.T, objs store.Objects, want object.Object) {
	t.Helper()
	got, err := objs.Object(t.Context(), want.Hash())
	if err != nil || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("object %v: got a %v of %d bytes, %v, want a %v of %d", want.Hash(), got.Type, len(got.Data), err, want.Type, len(want.Data))
	}
}

// TestMissOnce: those who miss the same object at the same time ask once for it.
func TestMissOnce(t *testing.T) {
	o := blob([]byte("asked for once"))
	h := newHost(o)
	asked, goOn := make(chan bool, 1), make(chan bool)
	h.fault = func(context.Context, []store.Hash) error {
		asked <- true
		<-goOn
		return nil
	}
	s := lazily(t, h, 0)
	var work sync.WaitGroup
	for range 20 {
		work.Go(func() { read(t, s, o) })
	}
	<-asked
	close(goOn)
	work.Wait()
	if n := h.requests(); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
}

// TestSlowMiss: while the host does not answer one request, what is here is
// read, and so is what other requests bring.
func TestSlowMiss(t *testing.T) {
	slow, quick, here := blob([]byte("slow")), blob([]byte("quick")), blob([]byte("here"))
	h := newHost(slow, quick, here)
	asked, goOn := make(chan bool), make(chan bool)
	h.fault = func(_ context.Context, hashes []store.Hash) error {
		if slices.Contains(hashes, slow.Hash()) {
			close(asked)
			<-goOn
		}
		return nil
	}
	s := lazily(t, h, 0)
	read(t, s, here)
	var work sync.WaitGroup
	work.Go(func() { read(t, s, slow) })
	<-asked
	read(t, s, here)
	read(t, s, quick)
	close(goOn)
	work.Wait()
}

// TestManyMisses: what is missed while all requests are under way goes into few.
func TestManyMisses(t *testing.T) {
	objs, _ := site(1, 1, 300, 500)
	h := newHost(objs...)
	goOn := make(chan bool)
	h.fault = func(context.Context, []store.Hash) error { <-goOn; return nil }
	s := lazily(t, h, 0)
	var work sync.WaitGroup
	for _, o := range objs {
		work.Go(func() { read(t, s, o) })
	}
	await(t, func() bool { return s.Waiting() == len(objs) })
	close(goOn)
	work.Wait()
	if n := h.requests(); n > 20 {
		t.Errorf("got %d requests for %d objects", n, len(objs))
	}
}

// TestAbsentMiss: one that the host does not have spoils no other.
func TestAbsentMiss(t *testing.T) {
	objs, _ := site(2, 1, 100, 500)
	h := newHost(objs...)
	goOn := make(chan bool)
	h.fault = func(context.Context, []store.Hash) error { <-goOn; return nil }
	s := lazily(t, h, 0)
	var work sync.WaitGroup
	for _, o := range objs {
		work.Go(func() { read(t, s, o) })
	}
	for i := range byte(10) {
		work.Go(func() {
			if _, err := s.Object(soon(t), store.Hash{1, i}); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("object that is nowhere: got %v", err)
			}
		})
	}
	await(t, func() bool { return s.Waiting() == len(objs)+10 })
	close(goOn)
	work.Wait()
}

// TestHostFails: what the host says is what the reader hears, and it is asked again.
func TestHostFails(t *testing.T) {
	o := blob([]byte("content"))
	h := newHost(o)
	var answer error
	h.fault = func(context.Context, []store.Hash) error { return answer }
	s := lazily(t, h, 0)
	for _, c := range []struct{ answer, want error }{
		{store.ErrTemporary, store.ErrTemporary},
		{context.DeadlineExceeded, store.ErrTemporary},
		{fs.ErrPermission, fs.ErrPermission},
		{fs.ErrNotExist, fs.ErrNotExist},
	} {
		answer = c.answer
		if _, err := s.Object(soon(t), o.Hash()); !errors.Is(err, c.want) {
			t.Errorf("host says %v: got %v, want %v", c.answer, err, c.want)
		}
		if _, err := s.Held().Object(soon(t), o.Hash()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("held: got %v, want %v", err, fs.ErrNotExist)
		}
	}
	answer = nil
	read(t, s, o)
	read(t, s.Held(), o)
}

// TestNobodyWaits: a request that nobody waits for any more is ended.
func TestNobodyWaits(t *testing.T) {
	o := blob([]byte("content"))
	h := newHost(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	h.fault = func(c context.Context, _ []store.Hash) error {
		cancel()
		<-c.Done()
		ended <- c.Err()
		return c.Err()
	}
	s := lazily(t, h, 0)
	if _, err := s.Object(ctx, o.Hash()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("request: got %v, want %v", err, context.Canceled)
	}
	h.fault = nil
	read(t, s, o)
}

// TestClose ends what is under way.
func TestClose(t *testing.T) {
	h := newHost()
	asked := make(chan bool, 1)
	h.fault = func(c context.Context, _ []store.Hash) error {
		asked <- true
		<-c.Done()
		return c.Err()
	}
	s := lazily(t, h, 0)
	go func() { <-asked; s.Close() }()
	if _, err := s.Object(soon(t), store.Hash{1}); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("while closing: got %v, want %v", err, store.ErrTemporary)
	}
	s.Close()
	if _, err := s.Object(soon(t), store.Hash{1}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed: got %v, want %v", err, fs.ErrClosed)
	}
}

// TestWithoutFetch: what is not here is not.
func TestWithoutFetch(t *testing.T) {
	s := lazy.New(lazy.Options{})
	defer s.Close()
	o := blob([]byte("put"))
	if err := s.Put(soon(t), o); err != nil {
		t.Fatal(err)
	}
	read(t, s, o)
	if _, err := s.Object(soon(t), store.Hash{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}
