package pack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// seeds are small packs: whole objects, deltas of both kinds, a thin one.
func seeds() [][]byte {
	more := func(base string) []byte {
		return append(varint(len(base)), append(varint(len(base)+1), 0x90, byte(len(base)), 1, '!')...)
	}
	deltas, refs, thin, tree := &builder{}, &builder{}, &builder{}, &builder{}
	deltas.ofs(deltas.ofs(deltas.blob("hello"), more("hello")), more("hello!"))
	refs.ref(blobHash("hello!"), more("hello!"))
	refs.ref(blobHash("hello"), more("hello"))
	refs.blob("hello")
	thin.ref(blobHash("hello"), more("hello"))
	data := treeData(2, 1)
	tree.entry(2, len(data), nil, data)
	return [][]byte{seal(0, nil), deltas.bytes(), refs.bytes(), thin.bytes(), tree.bytes(), bomb(16, 12)}
}

func FuzzReceive(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	hello := object.Object{Type: object.TypeBlob, Data: []byte("hello")}
	base := func(_ context.Context, h object.Hash) (object.Object, error) {
		if h == hello.Hash() {
			return hello, nil
		}
		return object.Object{}, errors.New("no such object")
	}
	lim := pack.Limits{ObjectBytes: 1 << 20, TotalBytes: 4 << 20, Objects: 1000}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = resum(data)
		spool := &pack.Buffer{}
		got, err := pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(data)), spool, base, lim)
		if err != nil {
			return
		}
		// What was received can be read.
		if int64(len(spool.Bytes())) != got.Size {
			t.Fatalf("%d bytes spooled, want %d", len(spool.Bytes()), got.Size)
		}
		p := openPack(t, spool.Bytes(), got.Index(), pack.NewBaseCache(1<<20))
		for h, typ := range got.All() {
			off, ok := p.Index().Find(h)
			o, err := p.Object(off)
			if !ok || err != nil || o.Type != typ || o.Hash() != h {
				t.Errorf("object %s: %v, %v", h, ok, err)
			}
		}
	})
}

// resum makes the trailer right, so that fuzzing gets behind it.
func resum(data []byte) []byte {
	if len(data) < 32 {
		return data
	}
	return seal(binary.BigEndian.Uint32(data[8:]), data[12:len(data)-20])
}

// FuzzPack reads damaged packs through a good index.
func FuzzPack(f *testing.F) {
	var indexes [][]byte
	for i, s := range seeds() {
		got, err := pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(s)), &pack.Buffer{}, nil, pack.Limits{})
		if err != nil {
			indexes = append(indexes, nil)
			continue
		}
		indexes = append(indexes, got.Index())
		f.Add(uint8(i), s)
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		ix, err := pack.OpenIndex(indexes[int(i)%len(indexes)])
		if err != nil || len(data) < 32 {
			return
		}
		sum := ix.PackSum()
		copy(data[len(data)-20:], sum[:])
		p, err := pack.Open(bytes.NewReader(data), int64(len(data)), ix, pack.NewBaseCache(1<<20))
		if err != nil {
			return
		}
		for _, off := range ix.All() {
			p.Object(off)
			p.Stat(off)
			p.Entry(off)
			if r, err := p.Open(off); err == nil {
				var b bytes.Buffer
				b.ReadFrom(r)
				r.Close()
			}
		}
	})
}

func FuzzOpenIndex(f *testing.F) {
	for _, s := range seeds() {
		if got, err := pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(s)), &pack.Buffer{}, nil, pack.Limits{}); err == nil {
			f.Add(got.Index())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ix, err := pack.OpenIndex(data)
		if err != nil {
			return
		}
		n := 0
		for h := range ix.All() {
			ix.Find(h)
			n++
		}
		for range ix.InPackOrder() {
			n--
		}
		if n != 0 || ix.Len()*28 > len(data) {
			t.Errorf("%d objects in %d bytes", ix.Len(), len(data))
		}
		ix.Find(object.Zero)
	})
}
