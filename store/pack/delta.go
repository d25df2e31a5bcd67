package pack

import "bytes"

const (
	maxCopy   = 1<<16 - 1 // longer copies would need a third size byte, which old readers lack
	maxInsert = 127
)

// Delta returns the instructions that make target from base. What both begin
// and end with is found by comparison, the rest by a hash of each
// block of the base that rolls over the target. The result may be longer
// than target when the two have little in common.
func Delta(base, target []byte) []byte {
	d := newDelta(base, target)
	prefix, suffix := affixes(base, target)
	d.copy(0, prefix)
	end := len(target) - suffix
	if end-prefix <= 2*block {
		d.insert(target[prefix:end])
	} else {
		d.middle(prefix, end)
	}
	d.copy(len(base)-suffix, suffix)
	return d.out
}

// affixDelta is Delta without the search for what has moved.
func affixDelta(base, target []byte) []byte {
	d := newDelta(base, target)
	prefix, suffix := affixes(base, target)
	d.copy(0, prefix)
	d.insert(target[prefix : len(target)-suffix])
	d.copy(len(base)-suffix, suffix)
	return d.out
}

// affixes returns how many bytes base and target have in common at the beginning
// and, beyond those, at the end.
func affixes(base, target []byte) (prefix, suffix int) {
	prefix = common(base, target)
	base, target = base[prefix:], target[prefix:]
	n := min(len(base), len(target))
	base, target = base[len(base)-n:], target[len(target)-n:]
	for n >= stride && bytes.Equal(base[n-stride:n], target[n-stride:n]) {
		n -= stride
	}
	for n > 0 && base[n-1] == target[n-1] {
		n--
	}
	return prefix, len(base) - n
}

// stride is how many bytes are compared at once.
const stride = 64

// common returns how many bytes a and b have in common at the beginning.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+stride <= n && bytes.Equal(a[i:i+stride], b[i:i+stride]) {
		i += stride
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

type deltaWriter struct {
	base, target []byte
	out          []byte
}

func newDelta(base, target []byte) *deltaWriter {
	d := &deltaWriter{base: base, target: target, out: make([]byte, 0, 64)}
	d.out = appendDeltaSize(d.out, len(base))
	d.out = appendDeltaSize(d.out, len(target))
	return d
}

func appendDeltaSize(dst []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

func (d *deltaWriter) copy(off, n int) {
	for n > 0 {
		size := min(n, maxCopy)
		d.copyOnce(off, size)
		off += size
		n -= size
	}
}

func (d *deltaWriter) copyOnce(off, n int) {
	at := len(d.out)
	d.out = append(d.out, 0x80)
	for i, arg := range [6]byte{byte(off), byte(off >> 8), byte(off >> 16), byte(off >> 24), byte(n), byte(n >> 8)} {
		if arg != 0 {
			d.out[at] |= 1 << i
			d.out = append(d.out, arg)
		}
	}
}

func (d *deltaWriter) insert(data []byte) {
	for len(data) > 0 {
		n := min(len(data), maxInsert)
		d.out = append(d.out, byte(n))
		d.out = append(d.out, data[:n]...)
		data = data[n:]
	}
}

// middle makes target[from:to] of inserts and of copies found in the index.
func (d *deltaWriter) middle(from, to int) {
	ix := indexBlocks(d.base)
	defer ix.free()
	pending := from // what has not been written yet begins here
	hash, valid := uint32(0), false
	for at := from; at+block <= to; {
		if !valid {
			hash, valid = hashBlock(d.target[at:at+block]), true
		}
		off, n := ix.longest(d.base, d.target[at:to], hash)
		if n < block {
			if at+block < to {
				hash = roll(hash, d.target[at], d.target[at+block])
			}
			at++
			continue
		}
		back := 0 // the match may begin before the block
		for at-back > pending && off-back > 0 && d.base[off-back-1] == d.target[at-back-1] {
			back++
		}
		d.insert(d.target[pending : at-back])
		d.copy(off-back, n+back)
		at += n
		pending, valid = at, false
	}
	d.insert(d.target[pending:to])
}
