package unipi

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cairn/store"
)

// A stuck reader takes what it is offered only once it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	offered func()
	let     <-chan struct{}
	n       atomic.Int64
}

func (s *stuck) Write(b []byte) (int, error) {
	s.offered()
	<-s.let
	s.n.Add(int64(len(b)))
	return len(b), nil
}

// TestManySlowReaders sends one file to many who do not read: it is in memory once.
func TestManySlowReaders(t *testing.T) {
	const size, readers = 1536 << 10, 300
	s, _ := newSite(t, files{"large.bin": strings.Repeat("\x00\x01\x02\x03\x04\x05\x06\xff", size/8)})
	s.Cache = &Cache{Bytes: 4 << 20} // that of a machine of 32 MiB
	get(t, s, "/none")
	before := heap()
	let := make(chan struct{})
	var offered, ended sync.WaitGroup
	offered.Add(readers)
	all := make([]*stuck, readers)
	for i := range all {
		all[i] = &stuck{ResponseRecorder: httptest.NewRecorder(), offered: sync.OnceFunc(offered.Done), let: let}
		ended.Go(func() {
			s.ServeHTTP(all[i], httptest.NewRequest(http.MethodGet, "http://www.example.org/large.bin", nil))
		})
	}
	offered.Wait()
	if more := heap() - before; more > 4*size {
		t.Errorf("%d readers of %d bytes take %d bytes", readers, size, more)
	}
	close(let)
	ended.Wait()
	for i, w := range all {
		if w.Code != http.StatusOK || w.n.Load() != size {
			t.Errorf("reader %d got %d and %d bytes", i, w.Code, w.n.Load())
		}
	}
	if l := &s.Cache.lend; len(l.loans) != 0 || l.bytes != 0 {
		t.Errorf("%d files of %d bytes are kept when nobody reads", len(l.loans), l.bytes)
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestLender(t *testing.T) {
	l := &lender{limit: 100}
	one, two := store.Hash{1}, store.Hash{2}
	opener := func(text string) func() (fs.File, error) {
		return func() (fs.File, error) { return &opened{Reader: strings.NewReader(text)}, nil }
	}
	never := func() (fs.File, error) { t.Error("it is read again"); return nil, fs.ErrInvalid }
	borrow := func(h store.Hash, size, wanted int64, open func() (fs.File, error)) *loan {
		t.Helper()
		n, err := l.borrow(h, size, wanted, open)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if borrow(one, 60, 29, never) != nil {
		t.Error("a part is lent as a whole")
	}
	a := borrow(one, 60, 30, opener(strings.Repeat("a", 60)))
	if b := borrow(one, 60, 1, never); b != a || string(b.data) != strings.Repeat("a", 60) {
		t.Error("not the same for the second")
	}
	if borrow(two, 41, 41, never) != nil {
		t.Error("there is more than the limit")
	}
	l.giveBack(one, a)
	if borrow(two, 41, 41, never) != nil {
		t.Error("there is more than the limit while one of two has it")
	}
	l.giveBack(one, a)
	if _, err := l.borrow(two, 41, 41, opener("too short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if _, err := l.borrow(two, 41, 41, func() (fs.File, error) { return nil, fs.ErrPermission }); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %v", err, fs.ErrPermission)
	}
	if len(l.loans) != 0 || l.bytes != 0 {
		t.Errorf("%d loans of %d bytes are left", len(l.loans), l.bytes)
	}
}

// opened is a file of which only the content matters.
type opened struct{ *strings.Reader }

func (*opened) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (*opened) Close() error               { return nil }
