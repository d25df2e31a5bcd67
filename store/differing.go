package store

import "slices"

// differing bounds where two nodes differ: the entries before from are the same
// in both, and those after aEnd in a and bEnd in b. It compares bytes and
// parses nothing, so that what neighbouring commits share costs next to
// nothing.
func differing(a, b *node) (from, aEnd, bEnd int) {
	aEnd, bEnd = a.len(), b.len()
	if aEnd == 0 || bEnd == 0 || !a.tidy || !b.tidy {
		return 0, aEnd, bEnd
	}
	n := min(len(a.raw), len(b.raw))
	prefix := longest(n, func(n int) bool { return a.raw[:n] == b.raw[:n] })
	from = a.within(prefix)

	x, y := a.raw, b.raw
	suffix := longest(n-prefix, func(n int) bool { return x[len(x)-n:] == y[len(y)-n:] })
	i := a.after(len(x) - suffix)
	j := bEnd - (aEnd - i)
	// Equal bytes mean equal entries only if an entry begins there in both.
	if i < aEnd && i >= from && j >= from && len(x)-a.refs[i].offset() == len(y)-b.refs[j].offset() {
		aEnd, bEnd = i, j
	}
	return from, aEnd, bEnd
}

// longest returns the greatest k up to n for which equal holds, where equal(k)
// implies equal of all below.
func longest(n int, equal func(int) bool) int {
	low, high := 0, n // equal(low) holds, equal(high+1) does not
	for low < high {
		mid := high - (high-low)/2
		if equal(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// within returns how many entries end within the first n bytes.
func (n *node) within(bytes int) int {
	k := n.offsetAfter(bytes)
	for k > 0 && n.end(k-1) > bytes {
		k--
	}
	return k
}

// after returns the first entry that starts at this byte or after it.
func (n *node) after(at int) int {
	k := n.offsetAfter(at)
	for k > 0 && n.start(k-1) >= at {
		k--
	}
	for k < len(n.refs) && n.start(k) < at {
		k++
	}
	return k
}

// offsetAfter returns the first entry whose name begins after this byte.
func (n *node) offsetAfter(at int) int {
	k, _ := slices.BinarySearchFunc(n.refs, at+1, func(r ref, at int) int { return r.offset() - at })
	return k
}
