package storetest

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

var receiveTests = []test{
	{"Keep", testKeep},
	{"Discard", testDiscard},
	{"Thin", testThin},
	{"Broken", testBroken},
	{"Limits", testLimits},
	{"Entries", testEntries},
	{"LargeEntry", testLargeEntry},
}

// receiver returns the backend as a Receiver, or skips the test.
func receiver(t *testing.T, b store.Backend) store.Receiver {
	t.Helper()
	r, ok := b.(store.Receiver)
	if !ok {
		t.Skip("not a store.Receiver")
	}
	return r
}

// packOf returns a pack of these objects. Those whose Base comes before them
// are deltas.
func packOf(t *testing.T, objs ...object.Object) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := pack.NewWriter(&buf, uint32(len(objs)), pack.Default)
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func receive(t *testing.T, b store.Backend, data []byte) store.Quarantine {
	t.Helper()
	q, err := receiver(t, b).Receive(soon(t), bytes.NewReader(data), b.Object, store.Limits{})
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	t.Cleanup(q.Discard)
	return q
}

// pushed is what a pack brings in these tests: two versions of a large text,
// the second a delta, and a commit.
func pushed() []object.Object {
	text := bytes.Repeat([]byte("all work and no play\n"), 500)
	old := object.Object{Type: object.TypeBlob, Data: bytes.Clone(text)}
	copy(text[5000:], "REDRUM")
	return append([]object.Object{old, {Type: object.TypeBlob, Data: text, Base: old.Hash()}}, commit("file", "pushed")...)
}

func testKeep(t *testing.T, b store.Backend) {
	ctx, objs := soon(t), pushed()
	q := receive(t, b, packOf(t, objs...))
	var got []store.Hash
	for h, typ := range q.All() {
		i := slices.IndexFunc(objs, func(o object.Object) bool { return o.Hash() == h })
		if i < 0 || objs[i].Type != typ {
			t.Errorf("quarantine holds %v, a %v", h, typ)
		}
		got = append(got, h)
	}
	if len(got) != len(objs) {
		t.Errorf("quarantine: got %d objects, want %d", len(got), len(objs))
	}
	for _, o := range objs {
		read(t, q, o)
		absent(t, b, o.Hash())
	}
	if err := q.Keep(ctx); err != nil {
		t.Fatal(err)
	}
	q.Discard() // does nothing any more
	for _, o := range objs {
		read(t, b, o)
		read(t, q, o)
	}
	h := objs[len(objs)-1].Hash()
	if err := b.Commit(ctx, nil, []store.RefChange{{Name: "refs/heads/main", New: h}}); err != nil {
		t.Fatal(err)
	}
	at(t, b, "refs/heads/main", h)
}

func testDiscard(t *testing.T, b store.Backend) {
	stored := blob("stored before")
	put(t, b, "refs/heads/main", object.Zero, append([]object.Object{stored}, commit("file", "1")...))
	objs := pushed()
	q := receive(t, b, packOf(t, append(objs, stored)...))
	absent(t, q, commit("file", "1")[2].Hash())
	q.Discard()
	for _, o := range objs {
		absent(t, b, o.Hash())
	}
	read(t, b, stored)
}

// testThin sends a delta whose base is not in the pack.
func testThin(t *testing.T, b store.Backend) {
	objs := pushed()
	put(t, b, "refs/heads/main", object.Zero, append(objs[:1:1], commit("file", "1")...))
	thin := thinPack(t, objs[0], objs[1])
	q := receive(t, b, thin)
	read(t, q, objs[1])
	absent(t, b, objs[1].Hash())
	if err := q.Keep(soon(t)); err != nil {
		t.Fatal(err)
	}
	read(t, b, objs[0])
	read(t, b, objs[1])

	// Who may not lean on the base cannot learn about it by a delta.
	hidden := func(context.Context, store.Hash) (object.Object, error) { return object.Object{}, fs.ErrNotExist }
	if q, err := receiver(t, b).Receive(soon(t), bytes.NewReader(thin), hidden, store.Limits{}); err == nil {
		q.Discard()
		t.Error("thin pack without its base: got no error")
	}
}

// thinPack returns a pack that holds o as a delta on base, and nothing else.
func thinPack(t *testing.T, base, o object.Object) []byte {
	t.Helper()
	delta := pack.Delta(base.Data, o.Data)
	var deflated, buf bytes.Buffer
	z := zlib.NewWriter(&deflated)
	if _, err := z.Write(delta); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := pack.NewWriter(&buf, 1, pack.Default)
	if err := w.Entry(o.Hash(), pack.Entry{Type: o.Type, Size: int64(len(delta)), Base: base.Hash(), Data: deflated.Bytes()}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func testBroken(t *testing.T, b store.Backend) {
	data := packOf(t, pushed()...)
	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 1
	bad := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{{Name: "..", Mode: object.ModeFile, Hash: blob("x").Hash()}})}
	for name, data := range map[string][]byte{
		"empty":       nil,
		"truncated":   data[:len(data)-30],
		"no trailer":  data[:len(data)-20],
		"bit flipped": flipped,
		"not a pack":  []byte("GET / HTTP/1.1\r\n\r\nand more bytes than a header has"),
		"bad tree":    packOf(t, bad),
	} {
		q, err := receiver(t, b).Receive(soon(t), bytes.NewReader(data), b.Object, store.Limits{})
		if err == nil {
			q.Discard()
			t.Errorf("%s: got no error", name)
		}
	}
	for _, o := range pushed() {
		absent(t, b, o.Hash())
	}
}

func testLimits(t *testing.T, b store.Backend) {
	large := object.Object{Type: object.TypeBlob, Data: noise(1 << 20)}
	data := packOf(t, append(pushed(), large)...)
	for name, lim := range map[string]store.Limits{
		"PackBytes":   {PackBytes: 1 << 19},
		"ObjectBytes": {ObjectBytes: 1000},
		"TotalBytes":  {TotalBytes: 15000},
		"Objects":     {Objects: 5},
	} {
		q, err := receiver(t, b).Receive(soon(t), bytes.NewReader(data), b.Object, lim)
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: got %v, want %v", name, err, store.ErrTooLarge)
		}
		if err == nil {
			q.Discard()
		}
	}
}

// testEntries writes a pack from Entry and receives it elsewhere.
func testEntries(t *testing.T, b store.Backend) {
	packed, ok := b.(store.Packed)
	if !ok {
		t.Skip("not a store.Packed")
	}
	objs := append(pushed(), commit("file", "committed")...)
	put(t, b, "refs/heads/main", object.Zero, objs[5:])
	if err := receive(t, b, packOf(t, objs[:5]...)).Keep(soon(t)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := packed.Entry(soon(t), blob("never stored").Hash()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("entry of an absent object: got %v, want %v", err, fs.ErrNotExist)
	}
	var buf bytes.Buffer
	w := pack.NewWriter(&buf, uint32(len(objs)), pack.Default)
	for _, o := range objs {
		e, ok, err := packed.Entry(soon(t), o.Hash())
		switch {
		case err != nil:
			t.Fatalf("entry %v: %v", o.Hash(), err)
		case ok && e.Type != o.Type:
			t.Errorf("entry %v: got type %v, want %v", o.Hash(), e.Type, o.Type)
		case ok:
			err = w.Entry(o.Hash(), pack.Entry(e))
		default:
			_, err = w.Object(o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	q := receive(t, b, buf.Bytes())
	for _, o := range objs {
		read(t, q, o)
	}
}

// testLargeEntry checks that a long entry comes as a Reader or as Data, never
// as neither.
func testLargeEntry(t *testing.T, b store.Backend) {
	packed, ok := b.(store.Packed)
	if !ok {
		t.Skip("not a store.Packed")
	}
	large := object.Object{Type: object.TypeBlob, Data: noise(3 << 20)}
	if err := receive(t, b, packOf(t, large)).Keep(soon(t)); err != nil {
		t.Fatal(err)
	}
	e, ok, err := packed.Entry(soon(t), large.Hash())
	if err != nil || !ok {
		t.Fatalf("entry: got ok %v, %v", ok, err)
	}
	data := e.Data
	if data == nil {
		r, err := e.Reader()
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(data) < len(large.Data) || e.Size != int64(len(large.Data)) {
		t.Errorf("entry: got %d bytes of zlib, size %d, want at least %d bytes", len(data), e.Size, len(large.Data))
	}
}
