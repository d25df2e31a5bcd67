package kernel

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	xchacha20 "golang.org/x/crypto/chacha20"
)

// erasing is what fast key erasure over x/crypto's ChaCha20 gives: 256 bytes at a time, of which
// the first 32 are the next key.
type erasing struct{ key, ready []byte }

func (r *erasing) seed(fresh []byte) {
	for i := range r.key {
		r.key[i] ^= fresh[i]
	}
	r.refill()
}

func (r *erasing) refill() {
	c, err := xchacha20.NewUnauthenticatedCipher(r.key, make([]byte, xchacha20.NonceSize))
	if err != nil {
		panic(err)
	}
	batch := make([]byte, 256)
	c.XORKeyStream(batch, batch)
	r.key, r.ready = batch[:32], batch[32:]
}

func (r *erasing) fill(n int) []byte {
	out := make([]byte, n)
	for got := 0; got < n; {
		if len(r.ready) == 0 {
			r.refill()
		}
		m := copy(out[got:], r.ready)
		r.ready, got = r.ready[m:], got+m
	}
	return out
}

// output lies still: addresses of what is on a stack do not.
var output [100_008]byte

func TestGeneratorIsFastKeyErasureOfChaCha20(t *testing.T) {
	var g generator
	r := erasing{key: make([]byte, 32)}
	var fresh [8]uint32
	for i := range fresh {
		fresh[i] = 0x9e3779b9 * uint32(i+1)
	}
	seed := func() {
		g.seed(&fresh)
		b := make([]byte, 32)
		for i, v := range fresh {
			binary.LittleEndian.PutUint32(b[i*4:], v)
		}
		r.seed(b)
	}
	seed()
	for _, n := range []int{1, 8, 32, 63, 64, 65, 128, 1000, 100_000, 0, 7} {
		got := output[:n+8]
		clear(got)
		g.fill(uintptr(unsafe.Pointer(&output)), uintptr(n))
		if want := append(r.fill(n), make([]byte, 8)...); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes differ from those of x/crypto's ChaCha20, or more were written", n)
		}
		if n == 65 {
			seed()
		}
	}
	for i, b := range unsafe.Slice((*byte)(unsafe.Pointer(&g.batch)), batchBytes-g.left) {
		if b != 0 {
			t.Fatalf("byte %d of the key stream lies about after it was given out", i)
		}
	}
}

func TestGeneratorForgets(t *testing.T) {
	var g generator
	g.seed(&[8]uint32{1, 2, 3})
	before := g.key
	g.fill(uintptr(unsafe.Pointer(&output)), batchBytes)
	if g.key == before {
		t.Error("the key that made the bytes is still there after a batch of them")
	}
}
