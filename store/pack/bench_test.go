package pack_test

import (
	"bufio"
	"context"
	"os"
	"testing"

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
