package kernel

// Physical memory is handed out in frames of one page. Two bitmaps say what is
// free: one bit per frame, and one bit per word of those that has a bit set, so
// that a free frame is found at once in a machine of any size. They lie in RAM
// themselves: 1/32768 of it.
//
// Single frames come from the bottom and runs of frames from the top, so that
// the two stay out of each other's way.

type frameTable struct {
	bits  uintptr // address of the bitmap: bit f%64 of word f/64 is set if frame f is free
	some  uintptr // address of the second: bit w%64 of word w/64 is set if word w has a bit set
	words uintptr // length of bits in words
	hint  uintptr // no word of some below this one has a bit set
	free  uintptr // number of free frames
	total uintptr // number of frames that addRange made free
}

// frames is all RAM that the kernel owns.
var frames frameTable

// frameTableSize is how many bytes the bitmaps take for RAM that ends at end.
func frameTableSize(end uintptr) uintptr {
	words := (end/pageSize + 63) / 64
	return (words + (words+63)/64) * 8
}

// init lays the bitmaps, all frames taken, into zeroed memory at address at.
func (t *frameTable) init(at, end uintptr) {
	t.words = (end/pageSize + 63) / 64
	t.bits = at
	t.some = at + t.words*8
}

func (t *frameTable) word(i uintptr) *uint64 { return p64(t.bits + i*8) }

func (t *frameTable) put(frame uintptr) {
	w := frame / 64
	*t.word(w) |= 1 << (frame % 64)
	*p64(t.some + w/64*8) |= 1 << (w % 64)
	t.hint = min(t.hint, w/64)
	t.free++
}

func (t *frameTable) take(frame uintptr) {
	w := frame / 64
	*t.word(w) &^= 1 << (frame % 64)
	if *t.word(w) == 0 {
		*p64(t.some + w/64*8) &^= 1 << (w % 64)
	}
	t.free--
}

func (t *frameTable) isFree(frame uintptr) bool {
	return frame/64 < t.words && *t.word(frame / 64)>>(frame%64)&1 != 0
}

// addRange makes the frames from address start to end, none of which is free, free.
func (t *frameTable) addRange(start, end uintptr) {
	for f := start / pageSize; f < end/pageSize; {
		if f%64 == 0 && end/pageSize-f >= 64 { // a whole word
			*t.word(f / 64) = ^uint64(0)
			*p64(t.some + f/4096*8) |= 1 << (f / 64 % 64)
			t.free += 64
			f += 64
			continue
		}
		t.put(f)
		f++
	}
	t.hint = 0
	t.total += end/pageSize - start/pageSize
}

// lowestFree is the free frame with the lowest number; ok is false if there is none.
func (t *frameTable) lowestFree() (frame uintptr, ok bool) {
	for s := t.hint; s*64 < t.words; s++ {
		if some := *p64(t.some + s*8); some != 0 {
			t.hint = s
			w := s*64 + trailingZeros(some)
			return w*64 + trailingZeros(*t.word(w)), true
		}
	}
	t.hint = (t.words + 63) / 64
	return 0, false
}

// highestRun is the highest start of n free frames in a row; ok is false if there is none.
func (t *frameTable) highestRun(n uintptr) (frame uintptr, ok bool) {
	if n == 0 || n > t.free {
		return 0, false
	}
	for start := t.words*64 - n; ; {
		taken, full := t.highestTaken(start, n)
		if full {
			return start, true
		}
		if taken < n {
			return 0, false
		}
		start = taken - n
	}
}

// highestTaken returns a frame below which, and above the others that are not free,
// a run of n from start on would have to end; full says that all n are free.
func (t *frameTable) highestTaken(start, n uintptr) (frame uintptr, full bool) {
	for f := start + n; f > start; f-- {
		switch w := *t.word((f - 1) / 64); {
		case w == 0:
			return (f - 1) &^ 63, false
		case w>>((f-1)%64)&1 == 0:
			return f - 1, false
		}
	}
	return 0, true
}

// trailingZeros counts the zero bits below the lowest set bit of v, which is not 0.
func trailingZeros(v uint64) uintptr {
	n := uintptr(0)
	for s := uintptr(32); s > 0; s /= 2 {
		if v<<(64-s) == 0 {
			v >>= s
			n += s
		}
	}
	return n
}

// reserve is how many frames stay back, so that a program for which there are no more
// can say so. contigFrames counts those that were handed out in runs.
var reserve, contigFrames uintptr

// frameAlloc returns the physical address of a zeroed frame, 0 if there is none.
func frameAlloc() uintptr {
	f, ok := frames.lowestFree()
	if !ok || frames.free <= reserve {
		return 0
	}
	frames.take(f)
	zero(direct+f*pageSize, pageSize)
	return f * pageSize
}

// frameFree gives the frame at physical address p back.
func frameFree(p uintptr) {
	if frames.isFree(p / pageSize) {
		kdie("a page was freed twice")
	}
	frames.put(p / pageSize)
}

// frameContig returns the physical address of n zeroed frames in a row, 0 if there
// are none. They are not given back.
func frameContig(n uintptr) uintptr {
	start, ok := frames.highestRun(n)
	if !ok || frames.free < n+reserve {
		return 0
	}
	contigFrames += n
	for f := start; f < start+n; f++ {
		frames.take(f)
	}
	zero(direct+start*pageSize, n*pageSize)
	return start * pageSize
}
