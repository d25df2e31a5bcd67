package kernel

import "unsafe"

// ChaCha20 (RFC 8439, 2.3) as a generator of random bytes with fast key erasure: a batch
// of its key stream is made at a time, of which the first bytes replace the key and
// the others are forgotten as they are given out. So whoever sees the kernel's memory
// later cannot tell what was given out before.

const (
	keyBytes   = 32
	blockBytes = 64
	batchBytes = 4 * blockBytes
)

// A generator must not be used before seed was called with bytes from a real source.
type generator struct {
	key   [8]uint32
	batch [batchBytes / 4]uint32 // key stream; zero but for the last left bytes
	left  uintptr
}

// seed mixes 32 bytes into the key. A seed that somebody knows, or chose, does no harm.
func (g *generator) seed(fresh *[8]uint32) {
	for i := range g.key {
		g.key[i] ^= fresh[i]
	}
	g.refill()
}

// refill makes a new batch and a new key.
func (g *generator) refill() {
	for i := range uint32(batchBytes / blockBytes) {
		chacha20(&g.key, i, (*[16]uint32)(g.batch[i*16:]))
	}
	copy(g.key[:], g.batch[:])
	clear(g.batch[:keyBytes/4])
	g.left = batchBytes - keyBytes
}

// fill writes n random bytes at p.
func (g *generator) fill(p, n uintptr) {
	for n > 0 {
		if g.left == 0 {
			g.refill()
		}
		size := min(n, g.left)
		out := (*[batchBytes]byte)(unsafe.Pointer(&g.batch))[batchBytes-g.left:][:size]
		copy((*[batchBytes]byte)(at(p))[:size], out)
		clear(out)
		g.left -= size
		p, n = p+size, n-size
	}
}

// chacha20 computes one block of the key stream of key, with a nonce of zeros.
func chacha20(key *[8]uint32, counter uint32, x *[16]uint32) {
	in := [16]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}
	copy(in[4:], key[:])
	in[12] = counter
	*x = in
	for range 10 {
		quarterRound(x, 0, 4, 8, 12)
		quarterRound(x, 1, 5, 9, 13)
		quarterRound(x, 2, 6, 10, 14)
		quarterRound(x, 3, 7, 11, 15)
		quarterRound(x, 0, 5, 10, 15)
		quarterRound(x, 1, 6, 11, 12)
		quarterRound(x, 2, 7, 8, 13)
		quarterRound(x, 3, 4, 9, 14)
	}
	for i := range x {
		x[i] += in[i]
	}
	clear(in[:])
}

func quarterRound(x *[16]uint32, a, b, c, d uint8) {
	x[a] += x[b]
	x[d] = rotate(x[d]^x[a], 16)
	x[c] += x[d]
	x[b] = rotate(x[b]^x[c], 12)
	x[a] += x[b]
	x[d] = rotate(x[d]^x[a], 8)
	x[c] += x[d]
	x[b] = rotate(x[b]^x[c], 7)
}

func rotate(v uint32, n uint) uint32 { return v<<n | v>>(32-n) }
