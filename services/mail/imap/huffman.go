package imap

import (
	"errors"
)

// A huffman is a canonical code: how many codes there are of each length, and their symbols in order.
type huffman struct {
	count  [16]uint16
	symbol [288]uint16
}

// decode reads one symbol.
func (f *inflater) decode(h *huffman) (int, error) {
	code, first, index := 0, 0, 0
	for length := uint(1); length < 16; length++ {
		if f.n < length {
			return 0, errShort
		}
		code |= int(f.bits>>(length-1)) & 1
		count := int(h.count[length])
		if code-count < first {
			f.bits, f.n = f.bits>>length, f.n-length
			return int(h.symbol[index+code-first]), nil
		}
		index, first, code = index+count, (first+count)<<1, code<<1
	}
	return 0, errDeflate
}

// make makes the code of the lengths of each symbol's code. Only a code of one symbol may be incomplete.
func (h *huffman) make(lengths []uint8) error {
	*h = huffman{}
	for _, l := range lengths {
		h.count[l]++
	}
	used := len(lengths) - int(h.count[0])
	h.count[0] = 0
	left, offset := 1, [16]int{}
	for l := 1; l < 16; l++ {
		if left = left<<1 - int(h.count[l]); left < 0 {
			return errDeflate
		}
		if l < 15 {
			offset[l+1] = offset[l] + int(h.count[l])
		}
	}
	if left > 0 && used > 1 {
		return errDeflate
	}
	for s, l := range lengths {
		if l > 0 {
			h.symbol[offset[l]] = uint16(s)
			offset[l]++
		}
	}
	return nil
}

var fixedLiteral, fixedDist = fixedCodes()

func fixedCodes() (literal, dist huffman) {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	dists := [32]uint8{}
	for i := range dists {
		dists[i] = 5
	}
	if literal.make(lengths[:]) != nil || dist.make(dists[:]) != nil {
		panic("fixed codes")
	}
	return literal, dist
}

// codeOrder is the order in which the lengths of the code for code lengths come (RFC 1951 §3.2.7).
var codeOrder = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tables reads the codes of a dynamic block.
func (f *inflater) tables() error {
	v, err := f.wait(14)
	if err != nil {
		return err
	}
	literals, dists, codes := v&31+257, v>>5&31+1, v>>10+4
	if literals > 286 || dists > 30 {
		return errDeflate
	}
	var lengths [286 + 30]uint8
	for i := range codes {
		if v, err = f.wait(3); err != nil {
			return err
		}
		lengths[codeOrder[i]] = uint8(v)
	}
	var h huffman
	if err := h.make(lengths[:19]); err != nil {
		return err
	}
	lengths = [286 + 30]uint8{}
	for i := 0; i < literals+dists; {
		symbol, err := f.decode(&h)
		if err == errShort {
			if err = f.top(); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		n, err := f.run(symbol, lengths[:i], lengths[i:literals+dists])
		if err != nil {
			return err
		}
		i += n
	}
	if lengths[256] == 0 {
		return errDeflate
	}
	if err := f.literal.make(lengths[:literals]); err != nil {
		return err
	}
	return f.dist.make(lengths[literals : literals+dists])
}

// top gets more bits.
func (f *inflater) top() error {
	if len(f.in) == 0 {
		if err := f.more(); err != nil {
			return err
		}
	}
	f.refill()
	return nil
}

// run puts one code length, or a run of them, into to.
func (f *inflater) run(symbol int, before, to []uint8) (int, error) {
	if symbol < 16 {
		to[0] = uint8(symbol)
		return 1, nil
	}
	value, base, bits := uint8(0), 3, uint(2)
	switch symbol {
	case 16:
		if len(before) == 0 {
			return 0, errDeflate
		}
		value = before[len(before)-1]
	case 17:
		bits = 3
	case 18:
		base, bits = 11, 7
	}
	n, err := f.wait(bits)
	if n += base; err != nil || n > len(to) {
		return 0, errors.Join(err, errDeflate)
	}
	for i := range n {
		to[i] = value
	}
	return n, nil
}
