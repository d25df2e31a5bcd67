package lazy_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
)

// TestFull: without Fetch, what does not fit is an error that says so, and what was
// there before is still there.
func TestFull(t *testing.T) {
	s := lazy.New(lazy.Options{Bytes: 4 << 20})
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 1))
	first := blob(noise(random, 1<<20))
	if err := s.Put(soon(t), first); err != nil {
		t.Fatal(err)
	}
	var full *lazy.FullError
	if err := s.Put(soon(t), blob(noise(random, 4<<20))); !errors.As(err, &full) || !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("put of too much: got %v", err)
	}
	var objs []object.Object
	for range 50 {
		objs = append(objs, blob(noise(random, 100<<10)))
	}
	data, err := packOf(objs...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(soon(t), bytes.NewReader(data), nil, store.Limits{}); !errors.As(err, &full) {
		t.Errorf("pack of too much: got %v", err)
	}
	if data, err = packOf(objs[:15]...); err != nil {
		t.Fatal(err)
	}
	q, err := s.Receive(soon(t), bytes.NewReader(data), nil, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Keep(soon(t)); err != nil {
		t.Fatal(err)
	}
	read(t, s, first)
	for _, o := range objs[:15] {
		read(t, s, o)
	}
	s.Close()
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestForgotten: what was kept and then forgotten makes room also without Fetch.
func TestForgotten(t *testing.T) {
	s := lazy.New(lazy.Options{Bytes: 4 << 20})
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 1))
	stays := blob([]byte("stays"))
	if err := s.Put(soon(t), stays); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		data, err := packOf(blob(noise(random, 1<<20)), stays)
		if err != nil {
			t.Fatal(err)
		}
		q, err := s.Receive(soon(t), bytes.NewReader(data), nil, store.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Keep(soon(t)); err != nil {
			t.Fatal(err)
		}
		q.(lazy.Quarantine).Forget()
	}
	read(t, s, stays)
	s.Close()
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestKeptAtOnce: several packs that bring the same objects, kept at the same moment,
// leave one of each.
func TestKeptAtOnce(t *testing.T) {
	objs, _ := site(1, 4, 100, 50)
	data, err := packOf(objs...)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s := lazy.New(lazy.Options{Bytes: 4 << 20})
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				q, err := s.Receive(soon(t), bytes.NewReader(data), nil, store.Limits{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := q.Keep(soon(t)); err != nil {
					t.Error(err)
				}
				q.(lazy.Quarantine).Promise()
			})
		}
		work.Wait()
		s.Close()
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHonest: a heap full of objects is as large as the Store says, and no larger than
// its bound.
func TestHonest(t *testing.T) {
	if race {
		t.Skip("the race detector has a heap of its own")
	}
	const bound = 8 << 20
	for _, size := range []int{100, 1000, 20000} {
		objs, _ := site(1, 40, min(16<<20, 60_000*size)/40/size, size)
		h := newHost(objs...)
		before := heap()
		s := lazily(t, h, bound)
		for _, o := range objs {
			if o.Type == object.TypeTree {
				readFolder(t, s, o)
			}
		}
		used, grown := s.Used(), heap()-before
		if used > bound || used < bound/2 {
			t.Errorf("files of %d bytes: used %d", size, used)
		}
		if grown > used+1<<20 {
			t.Errorf("files of %d bytes: the heap has grown by %d and %d are said to be used", size, grown, used)
		}
		t.Logf("files of %d bytes: %d objects, %d used, heap %d, %d requests", size, s.Items(), used, grown, h.requests())
		runtime.KeepAlive(h)
		runtime.KeepAlive(objs)
	}
}

// readFolder reads a tree and its files.
func readFolder(t *testing.T, s *lazy.Store, tree object.Object) {
	t.Helper()
	read(t, s, tree)
	entries, err := object.ParseTree(tree.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if o, err := s.Object(t.Context(), e.Hash); err != nil || o.Hash() != e.Hash {
			t.Fatalf("object %v: got %v", e.Hash, err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
