package libostest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"cairn/libos"
)

// diskSize is the size of the disks of TestBlock, in bytes: whole blocks of 4096,
// and more than a driver has requests for at once.
const diskSize = 1<<20 + 4096

// DiskContent is what the disks of TestBlock hold at first, for those that must have it
// before the test begins.
func DiskContent() []byte { return pattern(diskSize) }

// TestBlock runs the suite for a libos.Block. open returns a disk that holds content;
// it is closed at the end.
func TestBlock(t *testing.T, open func(t *testing.T, content []byte, readOnly bool) libos.Block) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, b libos.Block, content []byte)
	}{
		{"Identity", testDiskIdentity},
		{"Read", testDiskRead},
		{"ReadAtEnd", testDiskReadAtEnd},
		{"Write", testDiskWrite},
		{"WriteBeyond", testDiskWriteBeyond},
		{"ReadersAtOnce", testDiskReadersAtOnce},
		{"WritersAtOnce", testDiskWritersAtOnce},
		{"Close", testDiskClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := DiskContent()
			b := open(t, content, false)
			defer b.Close()
			c.test(t, b, content)
		})
	}
	t.Run("ReadOnly", func(t *testing.T) {
		content := DiskContent()
		b := open(t, content, true)
		defer b.Close()
		testDiskReadOnly(t, b, content)
	})
}

func testDiskIdentity(t *testing.T, b libos.Block, content []byte) {
	if got := b.Size(); got != int64(len(content)) {
		t.Errorf("size %d, want %d", got, len(content))
	}
	if n := b.BlockSize(); n < 512 || n&(n-1) != 0 {
		t.Errorf("blocks of %d bytes, want a power of two of at least 512", n)
	}
	if b.ReadOnly() {
		t.Error("the disk is read-only")
	}
	if err := b.Sync(); err != nil {
		t.Errorf("sync: %v", err)
	}
}

// wantRead checks what the disk holds at off.
func wantRead(t *testing.T, b libos.Block, want []byte, off int64) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := b.ReadAt(got, off)
	if err == io.EOF && n == len(want) && off+int64(n) == b.Size() {
		err = nil
	}
	if n != len(want) || err != nil {
		t.Errorf("read of %d bytes at %d: %d, %v", len(want), off, n, err)
		return
	}
	if i := difference(got, want); i >= 0 {
		t.Errorf("read of %d bytes at %d: byte %d is %#x, want %#x", len(want), off, i, got[i], want[i])
	}
}

func difference(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

func testDiskRead(t *testing.T, b libos.Block, content []byte) {
	wantRead(t, b, content, 0)
	for _, off := range []int{0, 1, 511, 512, 513, 4095, 65535, 100_001, diskSize - 70_000} {
		for _, n := range []int{0, 1, 2, 511, 512, 513, 4096, 5000, 65_537} {
			wantRead(t, b, content[off:off+n], int64(off))
		}
	}
}

func testDiskReadAtEnd(t *testing.T, b libos.Block, content []byte) {
	buf := make([]byte, 1000)
	for _, c := range []struct {
		off  int64
		want int
		err  error
	}{
		{diskSize - 999, 999, io.EOF},
		{diskSize - 1, 1, io.EOF},
		{diskSize, 0, io.EOF},
		{diskSize + 1, 0, io.EOF},
		{math.MaxInt64 - 10, 0, io.EOF},
	} {
		n, err := b.ReadAt(buf, c.off)
		if n != c.want || err != c.err {
			t.Errorf("read at %d: got %d, %v, want %d, %v", c.off, n, err, c.want, c.err)
		} else if !bytes.Equal(buf[:n], content[min(c.off, diskSize):]) {
			t.Errorf("read at %d: other bytes", c.off)
		}
	}
	if n, err := b.ReadAt(buf, -1); n != 0 || err == nil || err == io.EOF {
		t.Errorf("read at -1: got %d, %v", n, err)
	}
}

// testDiskWrite writes anywhere and compares with what a slice holds then.
func testDiskWrite(t *testing.T, b libos.Block, content []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		n := []int{0, 1, 100, 512, 1024, 4096, 5000, 150_000}[r.IntN(8)]
		off := r.IntN(len(content) - n + 1)
		if i%3 == 0 {
			off &^= 511
		}
		p := make([]byte, n)
		for j := range p {
			p[j] = byte(r.Uint32())
		}
		if got, err := b.WriteAt(p, int64(off)); got != n || err != nil {
			t.Fatalf("write of %d bytes at %d: %d, %v", n, off, got, err)
		}
		copy(content[off:], p)
		from := max(0, off-600)
		wantRead(t, b, content[from:min(off+n+600, len(content))], int64(from))
	}
	if err := b.Sync(); err != nil {
		t.Errorf("sync: %v", err)
	}
	wantRead(t, b, content, 0)
}

func testDiskWriteBeyond(t *testing.T, b libos.Block, content []byte) {
	for _, off := range []int64{-1, diskSize - 999, diskSize, diskSize + 512, math.MaxInt64 - 10} {
		if n, err := b.WriteAt(make([]byte, 1000), off); n != 0 || err == nil {
			t.Errorf("write at %d: got %d, %v, want an error", off, n, err)
		}
	}
	if b.Size() != diskSize {
		t.Errorf("size %d, want %d as before", b.Size(), diskSize)
	}
	wantRead(t, b, content, 0)
}

func testDiskReadersAtOnce(t *testing.T, b libos.Block, content []byte) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for off := i * 1000; off+9000 < len(content); off += 333_333 {
				wantRead(t, b, content[off:off+9000], int64(off))
			}
		})
	}
	wg.Wait()
}

// testDiskWritersAtOnce has neighbours write into the same blocks.
func testDiskWritersAtOnce(t *testing.T, b libos.Block, content []byte) {
	const writers, width, rounds = 8, 700, 10
	var wg sync.WaitGroup
	for i := range writers {
		off := 12_345 + i*width
		wg.Go(func() {
			for round := range rounds {
				p := bytes.Repeat([]byte{byte(i*rounds + round)}, width)
				if n, err := b.WriteAt(p, int64(off)); n != width || err != nil {
					t.Errorf("write at %d: %d, %v", off, n, err)
				}
				wantRead(t, b, p, int64(off))
			}
		})
		copy(content[off:], bytes.Repeat([]byte{byte(i*rounds + rounds - 1)}, width))
	}
	// Whole blocks elsewhere at the same time.
	wg.Go(func() {
		for range rounds {
			if _, err := b.WriteAt(content[1<<19:][:8192], 1<<19); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	wantRead(t, b, content, 0)
}

func testDiskClose(t *testing.T, b libos.Block, content []byte) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				if _, err := b.ReadAt(make([]byte, 100_000), 0); err != nil {
					if !errors.Is(err, fs.ErrClosed) {
						t.Errorf("read while it is closed: %v, want fs.ErrClosed", err)
					}
					return
				}
			}
		})
	}
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
	if _, err := b.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read: %v, want fs.ErrClosed", err)
	}
	if _, err := b.WriteAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write: %v, want fs.ErrClosed", err)
	}
	if err := b.Sync(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("sync: %v, want fs.ErrClosed", err)
	}
}

func testDiskReadOnly(t *testing.T, b libos.Block, content []byte) {
	if !b.ReadOnly() {
		t.Error("ReadOnly is false")
	}
	if n, err := b.WriteAt([]byte{1}, 0); n != 0 || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("write: got %d, %v, want fs.ErrPermission", n, err)
	}
	wantRead(t, b, content, 0)
	if err := b.Sync(); err != nil {
		t.Errorf("sync: %v", err)
	}
}
