package pack

import "fmt"

// A delta is the sizes of base and target, then instructions: copy from the
// base or insert what follows (gitformat-pack(5), "Deltified representation").

var errDelta = formatError("delta")

// deltaSizes returns the sizes of base and target and the instructions.
func deltaSizes(delta []byte) (base, target int64, rest []byte, err error) {
	if base, delta, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	if target, delta, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	return base, target, delta, nil
}

func deltaSize(b []byte) (size int64, rest []byte, err error) {
	for i := 0; i < len(b) && i < 9; i++ {
		size |= int64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return size, b[i+1:], nil
		}
	}
	return 0, nil, errDelta
}

// An instruction copies n bytes at off of the base, or inserts data.
type instruction struct {
	off, n int64
	data   []byte // nil: copy
}

// nextInstruction takes one instruction from the front.
func nextInstruction(b []byte) (in instruction, rest []byte, err error) {
	c := b[0]
	b = b[1:]
	if c&0x80 == 0 {
		if c == 0 || int(c) > len(b) {
			return in, nil, errDelta
		}
		return instruction{n: int64(c), data: b[:c]}, b[c:], nil
	}
	var arg [7]byte
	for i := range arg {
		if c>>i&1 == 0 {
			continue
		}
		if len(b) == 0 {
			return in, nil, errDelta
		}
		arg[i] = b[0]
		b = b[1:]
	}
	in.off = int64(arg[0]) | int64(arg[1])<<8 | int64(arg[2])<<16 | int64(arg[3])<<24
	in.n = int64(arg[4]) | int64(arg[5])<<8 | int64(arg[6])<<16
	if in.n == 0 {
		in.n = 1 << 16
	}
	return in, b, nil
}

// Apply returns the target of a delta. A target of more than limit bytes is
// ErrTooLarge, before anything is allocated for it.
func Apply(base, delta []byte, limit int64) ([]byte, error) {
	return appendTarget(nil, base, delta, limit)
}

// appendTarget is Apply into the memory of dst, if that is enough.
func appendTarget(dst, base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, rest, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if baseSize != int64(len(base)) {
		return nil, formatError("delta is for a base of %d bytes, not %d", baseSize, len(base))
	}
	if size > limit {
		return nil, fmt.Errorf("object of %d bytes: %w", size, ErrTooLarge)
	}
	target := dst[:0]
	if dst == nil || int64(cap(dst)) < size {
		target = make([]byte, 0, size)
	}
	for len(rest) > 0 {
		var in instruction
		if in, rest, err = nextInstruction(rest); err != nil {
			return nil, err
		}
		if in.n > size-int64(len(target)) {
			return nil, errDelta
		}
		if in.data != nil {
			target = append(target, in.data...)
			continue
		}
		if in.off+in.n > int64(len(base)) {
			return nil, errDelta
		}
		target = append(target, base[in.off:in.off+in.n]...)
	}
	if int64(len(target)) != size {
		return nil, errDelta
	}
	return target, nil
}
