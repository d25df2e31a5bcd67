package pack_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"cairn/store/object"
	"cairn/store/pack"
)

// BenchmarkReceive indexes the pack that CAIRN_PACK names; compare with
// git index-pack --strict.
func BenchmarkReceive(b *testing.B) {
	name := os.Getenv("CAIRN_PACK")
	if name == "" {
		b.Skip("CAIRN_PACK names no pack")
	}
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		spool, err := os.CreateTemp(b.TempDir(), "")
		if err != nil {
			b.Fatal(err)
		}
		got, err := pack.Receive(context.Background(), bufio.NewReaderSize(f, 64<<10), spool, nil, pack.Limits{TotalBytes: 1 << 40})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(got.Len()), "objects")
		f.Close()
		spool.Close()
	}
}

// BenchmarkObject reads the objects of a fresh pack and of a merged one in no
// order, without any of the caches above.
func BenchmarkObject(b *testing.B) {
	s, objs := newSite(64, 40)
	for range 500 {
		objs = append(objs, s.update()...)
	}
	for _, c := range []struct {
		name  string
		level pack.Level
	}{{"stored", pack.Stored}, {"deflated", pack.Default}} {
		data, idx := write(b, objs, c.level)
		for _, cache := range []int64{0, 8 << 20} {
			b.Run(fmt.Sprintf("%s/bases=%dMB", c.name, cache>>20), func(b *testing.B) {
				p := openPack(b, data, idx, pack.NewBaseCache(cache))
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					if _, err := p.Object(p.Index().At(n * 7919 % p.Index().Len()).Offset); err != nil {
						b.Fatal(err)
					}
					n++
				}
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	_, objs := newSite(256, 400)
	_, idx := write(b, objs, pack.Stored)
	ix, err := pack.OpenIndex(idx)
	if err != nil {
		b.Fatal(err)
	}
	var hashes []object.Hash
	for _, o := range objs[:10000] {
		hashes = append(hashes, o.Hash())
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, ok := ix.Find(hashes[n%len(hashes)]); !ok {
			b.Fatal("lost")
		}
		n++
	}
}

// BenchmarkReceiveSmall receives what a push of one commit sends.
func BenchmarkReceiveSmall(b *testing.B) {
	s, _ := newSite(16, 40)
	data, _ := write(b, s.update(), pack.Fast)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pack.Receive(context.Background(), bufio.NewReader(bytes.NewReader(data)), &pack.Buffer{}, nil, pack.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
