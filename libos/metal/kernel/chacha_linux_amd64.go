package kernel

// ChaCha20 (RFC 8439, 2.3) as a generator of random bytes with fast key erasure:
// each request first replaces the key, so that whoever sees the kernel's memory
// later cannot tell what was given out before.

// A generator must not be used before seed was called with bytes from a real source.
type generator struct {
	key   [8]uint32
	block [16]uint32 // scratch, zero between requests
}

// seed mixes 32 bytes into the key. A seed that somebody knows, or chose, does no harm.
func (g *generator) seed(fresh *[8]uint32) {
	for i := range g.key {
		g.key[i] ^= fresh[i]
	}
	g.erase()
}

// erase replaces the key by the first half of its own key stream, which nothing else uses.
func (g *generator) erase() {
	g.keystream(&g.key, 0)
	copy(g.key[:], g.block[:8])
	clear(g.block[:])
}

// fill writes n random bytes at p. The stream has 256 GiB, more than n can be.
func (g *generator) fill(p, n uintptr) {
	key := g.key
	g.erase()
	for counter := uint32(1); n > 0; counter++ {
		g.keystream(&key, counter)
		size := min(n, 64)
		for i := range size {
			*p8(p + i) = uint8(g.block[i/4] >> (i % 4 * 8))
		}
		p += size
		n -= size
	}
	clear(key[:])
	clear(g.block[:])
}

// keystream computes one block of the key stream of key, with a nonce of zeros.
func (g *generator) keystream(key *[8]uint32, counter uint32) {
	in := [16]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}
	copy(in[4:], key[:])
	in[12] = counter
	x := &g.block
	*x = in
	for range 10 {
		for i := range doubleRound {
			r := &doubleRound[i]
			quarterRound(x, r[0], r[1], r[2], r[3])
		}
	}
	for i := range x {
		x[i] += in[i]
	}
	clear(in[:])
}

// doubleRound is on which words of the state quarter rounds work: columns, then diagonals. (A table, not
// eight calls in line: code that runs for the first time is what takes longest at boot.)
var doubleRound = [8][4]uint8{
	{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
	{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14},
}

func quarterRound(x *[16]uint32, a, b, c, d uint8) {
	a, b, c, d = a&15, b&15, c&15, d&15
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
