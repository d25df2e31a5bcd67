package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

var objectTests = []test{
	{"RoundTrip", testRoundTrip},
	{"Absent", testAbsentObject},
	{"Delta", testDelta},
	{"Large", testLarge},
	{"TooLarge", testTooLarge},
	{"Twice", testTwice},
	{"WithoutRefs", testWithoutRefs},
	{"Readers", testReaders},
}

// read reads an object in each of the three ways and checks that they agree.
func read(t *testing.T, objs store.Objects, want object.Object) {
	t.Helper()
	ctx, h := soon(t), want.Hash()
	typ, size, err := objs.Stat(ctx, h)
	if err != nil || typ != want.Type || size != int64(len(want.Data)) {
		t.Errorf("stat %v: got %v, %d, %v, want %v, %d", h, typ, size, err, want.Type, len(want.Data))
	}
	if len(want.Data) <= store.MaxObject {
		got, err := objs.Object(ctx, h)
		if err != nil || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("object %v: got %v of %d bytes, %v, want %v of %d bytes", h, got.Type, len(got.Data), err, want.Type, len(want.Data))
		}
	}
	r, err := objs.Open(ctx, h)
	if err != nil {
		t.Errorf("open %v: %v", h, err)
		return
	}
	data, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(data, want.Data) {
		t.Errorf("open %v: got %d bytes, %v, want %d bytes", h, len(data), err, len(want.Data))
	}
	if err := r.Close(); err != nil {
		t.Errorf("close %v: %v", h, err)
	}
}

func testRoundTrip(t *testing.T, b store.Backend) {
	objs := commit("file", "content")
	objs = append(objs, blob(""), blob("\x00\xff\n"), object.Object{Type: object.TypeTree})
	objs = append(objs, commit("file", "again", objs[2].Hash())...)
	put(t, b, "refs/heads/main", object.Zero, objs)
	for _, o := range objs {
		read(t, b, o)
	}
}

func testAbsentObject(t *testing.T, b store.Backend) {
	put(t, b, "refs/heads/main", object.Zero, commit("file", "content"))
	absent(t, b, blob("never stored").Hash())
}

func absent(t *testing.T, objs store.Objects, h store.Hash) {
	t.Helper()
	ctx := soon(t)
	if _, err := objs.Object(ctx, h); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("object %v: got %v, want %v", h, err, fs.ErrNotExist)
	}
	if _, _, err := objs.Stat(ctx, h); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat %v: got %v, want %v", h, err, fs.ErrNotExist)
	}
	if _, err := objs.Open(ctx, h); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open %v: got %v, want %v", h, err, fs.ErrNotExist)
	}
}

// testDelta stores chains of objects that are small edits of one another, with
// bases in the same commit, in an earlier one and nowhere.
func testDelta(t *testing.T, b store.Backend) {
	var all []object.Object
	old, base := object.Zero, blob("nowhere").Hash()
	text := bytes.Repeat([]byte("the quick brown fox\n"), 100)
	for i := range 3 {
		var objs []object.Object
		for j := range 80 {
			copy(text[(i*80+j)*7:], "edit")
			o := object.Object{Type: object.TypeBlob, Data: bytes.Clone(text), Base: base}
			base = o.Hash()
			objs = append(objs, o)
		}
		objs = append(objs, commit("file", fmt.Sprint(i))...)
		old = put(t, b, "refs/heads/main", old, objs)
		all = append(all, objs...)
	}
	for _, o := range all {
		read(t, b, o)
	}
}

func testLarge(t *testing.T, b store.Backend) {
	large := object.Object{Type: object.TypeBlob, Data: noise(5 << 20)}
	put(t, b, "refs/heads/main", object.Zero, append([]object.Object{large}, commit("file", "x")...))
	read(t, b, large)
	r, err := b.Open(soon(t), large.Hash())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, r, 100); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close before the end: %v", err)
	}
}

// noise returns bytes that do not compress.
func noise(n int) []byte {
	data := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		data[i] = byte(x >> 32)
	}
	return data
}

func testTooLarge(t *testing.T, b store.Backend) {
	if testing.Short() {
		t.Skip("takes 130 MB")
	}
	large := object.Object{Type: object.TypeBlob, Data: make([]byte, store.MaxObject+1)}
	put(t, b, "refs/heads/main", object.Zero, append([]object.Object{large}, commit("file", "x")...))
	read(t, b, large)
	if _, err := b.Object(soon(t), large.Hash()); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("object beyond MaxObject: got %v, want %v", err, store.ErrTooLarge)
	}
}

func testTwice(t *testing.T, b store.Backend) {
	objs := commit("file", "content")
	h := put(t, b, "refs/heads/main", object.Zero, objs)
	put(t, b, "refs/heads/other", object.Zero, objs)
	at(t, b, "refs/heads/main", h)
	for _, o := range objs {
		read(t, b, o)
	}
}

func testWithoutRefs(t *testing.T, b store.Backend) {
	o := blob("alone")
	if err := b.Commit(soon(t), []object.Object{o}, nil); err != nil {
		t.Fatal(err)
	}
	read(t, b, o)
}

// testReaders reads while others write.
func testReaders(t *testing.T, b store.Backend) {
	ctx := context.Background()
	first := commit("file", "content")
	put(t, b, "refs/heads/main", object.Zero, first)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, o := range first {
					if got, err := b.Object(ctx, o.Hash()); err != nil || !bytes.Equal(got.Data, o.Data) {
						t.Errorf("object %v while others write: got %v", o.Hash(), err)
						return
					}
				}
			}
		})
	}
	for i := range 20 {
		put(t, b, fmt.Sprintf("refs/heads/b%d", i), object.Zero, commit("file", fmt.Sprint(i)))
	}
	close(done)
	wg.Wait()
}
