package kernel

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	"golang.org/x/crypto/chacha20"
)

// erasing is what fast key erasure over x/crypto's ChaCha20 gives.
type erasing struct{ key []byte }

func (r *erasing) seed(fresh []byte) {
	for i := range r.key {
		r.key[i] ^= fresh[i]
	}
	r.fill(0)
}

func (r *erasing) fill(n int) []byte {
	c, err := chacha20.NewUnauthenticatedCipher(r.key, make([]byte, chacha20.NonceSize))
	if err != nil {
		panic(err)
	}
	first := make([]byte, 64)
	c.XORKeyStream(first, first)
	out := make([]byte, n)
	c.XORKeyStream(out, out)
	r.key = first[:32]
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
	if g.block != [16]uint32{} {
		t.Error("key stream lies about after a request")
	}
}

func TestGeneratorForgets(t *testing.T) {
	var g generator
	g.seed(&[8]uint32{1, 2, 3})
	before := g.key
	g.fill(uintptr(unsafe.Pointer(&output)), 32)
	if g.key == before {
		t.Error("the key that made the bytes is still there")
	}
}
