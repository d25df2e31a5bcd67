package pack_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// TestReceiveBranching has deltas on deltas on several branches, of objects so
// large that those further up are dropped and have to be derived again.
func TestReceiveBranching(t *testing.T) {
	b := &builder{}
	want := make(map[object.Hash]object.Object)
	add := func(data []byte) {
		o := object.Object{Type: object.TypeBlob, Data: data}
		want[o.Hash()] = o
	}
	next := byte(0)
	var grow func(at int, data []byte, depth int)
	grow = func(at int, data []byte, depth int) {
		for range 2 {
			if depth == 0 {
				return
			}
			next++
			changed := bytes.Clone(data)
			changed[int(next)*1000] = next
			add(changed)
			grow(b.ofs(at, pack.Delta(data, changed)), changed, depth-1)
		}
	}
	root := make([]byte, 6<<20)
	add(root)
	grow(b.blob(string(root)), root, 3)
	got, spool, err := receive(t, b.bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, spool.Bytes(), got.Index(), want)
}

// TestReceiveScratch has objects that are too large for memory in a Buffer, which is
// cut off at the end of the pack again.
func TestReceiveScratch(t *testing.T) {
	b := &builder{}
	zeros := make([]byte, 9<<20)
	at := b.ofs(b.blob(string(zeros)), copies(len(zeros), 2))
	twice := make([]byte, 18<<20)
	b.ofs(at, pack.Delta(twice, twice[:17<<20]))
	b.ofs(at, pack.Delta(twice, twice[:100]))
	want := make(map[object.Hash]object.Object)
	for _, n := range []int{9 << 20, 18 << 20, 17 << 20, 100} {
		o := object.Object{Type: object.TypeBlob, Data: twice[:n]}
		want[o.Hash()] = o
	}
	data := b.bytes()
	got, spool, err := receive(t, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(spool.Bytes(), data) {
		t.Errorf("spool of %d bytes differs from the pack of %d", len(spool.Bytes()), len(data))
	}
	compare(t, spool.Bytes(), got.Index(), want)
}

// TestMergeLarge merges objects that are copied, compressed and streamed
// because of their size.
func TestMergeLarge(t *testing.T) {
	random := make([]byte, 3<<20)
	rand.NewChaCha8([32]byte{4}).Read(random)
	objs := []object.Object{
		{Type: object.TypeBlob, Data: random},
		{Type: object.TypeBlob, Data: bytes.Repeat([]byte("compressible"), 300_000)},
		{Type: object.TypeBlob, Data: bytes.Repeat(random, 6)},
	}
	want := make(map[object.Hash]object.Object)
	for _, o := range objs {
		want[o.Hash()] = o
	}
	for _, level := range []pack.Level{pack.Stored, pack.Fast} {
		data, idx := write(t, objs, level)
		p := openPack(t, data, idx, pack.NewBaseCache(1<<20))
		var items []pack.Item
		for h, off := range p.Index().InPackOrder() {
			items = append(items, pack.Item{Hash: h, Pack: p, Offset: off})
		}
		var b bytes.Buffer
		sum, entries, err := pack.Merge(context.Background(), &b, items)
		if err != nil {
			t.Fatal(err)
		}
		if size := entries[2].Offset - entries[1].Offset; size > 100_000 {
			t.Errorf("level %d: what can be compressed takes %d bytes", level, size)
		}
		compare(t, b.Bytes(), pack.AppendIndex(nil, entries, sum), want)
	}
}
