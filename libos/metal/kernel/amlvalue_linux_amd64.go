package kernel

// Values that byte code writes out: lengths, numbers, text and buffers. Each reader
// is told where to stop, and sees nothing beyond.

// amlLength reads the length of a package at a (20.2.4): where what follows it
// begins, and where the package ends.
func amlLength(a, limit uintptr) (body, end uintptr) {
	if a >= limit {
		return 0, 0
	}
	lead := uintptr(*p8(a))
	more := lead >> 6
	if limit-a < 1+more {
		return 0, 0
	}
	n := lead & 0x3f
	if more > 0 {
		n = lead & 0x0f
	}
	for i := uintptr(0); i < more; i++ {
		n |= uintptr(*p8(a + 1 + i)) << (4 + 8*i)
	}
	if n < 1+more || n > limit-a {
		return 0, 0
	}
	return a + 1 + more, a + n
}

// amlInteger reads the constant at a; size 0 says that there is none.
func amlInteger(a, limit uintptr) (v uint64, size uintptr) {
	if a >= limit {
		return 0, 0
	}
	switch op := *p8(a); {
	case op == 0 || op == 1:
		return uint64(op), 1
	case op == 0xff:
		return ^uint64(0), 1
	case op == amlByte && limit-a >= 2:
		return uint64(*p8(a + 1)), 2
	case op == amlWord && limit-a >= 3:
		return uint64(*p16(a + 1)), 3
	case op == amlDWord && limit-a >= 5:
		return uint64(*p32(a + 1)), 5
	case op == amlQWord && limit-a >= 9:
		return *p64(a + 1), 9
	}
	return 0, 0
}

// amlIdentity reads the value of a _HID: up to 8 bytes of text, or a number.
func amlIdentity(a, limit uintptr) uint64 {
	if a >= limit || *p8(a) != amlString {
		v, _ := amlInteger(a, limit)
		return v
	}
	var v uint64
	for i := uintptr(0); i < 8 && limit-a > 1+i && *p8(a + 1 + i) != 0; i++ {
		v |= uint64(*p8(a + 1 + i)) << (8 * i)
	}
	return v
}

// amlBytes reads a buffer that is written out: its bytes.
func amlBytes(a, limit uintptr) (start, n uintptr) {
	if a >= limit || *p8(a) != amlBuffer {
		return 0, 0
	}
	body, end := amlLength(a+1, limit)
	if body == 0 {
		return 0, 0
	}
	_, size := amlInteger(body, end)
	if size == 0 {
		return 0, 0
	}
	return body + size, end - body - size
}
