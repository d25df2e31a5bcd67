package imap

import (
	"errors"
	"io"
)

// An inflater undoes DEFLATE (RFC 1951). Other than compress/flate it hands out all that the bytes it has
// stand for, also in the middle of a block: several clients end what they send with what zlib
// calls a partial flush, which leaves it there (golang.org/issue/31514).
type inflater struct {
	r    io.Reader
	in   []byte // read and not used
	bits uint64 // taken from in and not used
	n    uint   // how many

	window        [window]byte
	made, handed  int // bytes in all; those between are in window and were not handed out
	step          func(*inflater) error
	stored        int // bytes to come of a stored block
	final         bool
	literal, dist huffman
	err           error
	buf           [512]byte
}

const (
	window   = 32 << 10
	maxMatch = 258
	maxMade  = window - maxMatch // that are not handed out
)

var (
	errDeflate = errors.New("the compressed data is damaged")
	// errShort says that the bits at hand do not suffice. Nothing has been done then.
	errShort = errors.New("more bits are needed")
)

func newInflater(r io.Reader) *inflater { return &inflater{r: r, step: (*inflater).block} }

// Read implements io.Reader. It waits for more only when there is nothing to hand out.
func (f *inflater) Read(p []byte) (int, error) {
	for f.err == nil && f.made-f.handed < maxMade {
		f.refill()
		bits, n := f.bits, f.n
		err := f.step(f)
		if err == errShort {
			f.bits, f.n = bits, n
			if f.made > f.handed {
				break
			}
			err = f.more()
		}
		f.err = err
	}
	from := f.handed % window
	n := copy(p, f.window[from:min(window, from+f.made-f.handed)])
	if f.handed += n; n == 0 && f.err != nil {
		return 0, f.err
	}
	return n, nil
}

// refill takes whole bytes while there is room.
func (f *inflater) refill() {
	for f.n <= 56 && len(f.in) > 0 {
		f.bits |= uint64(f.in[0]) << f.n
		f.in, f.n = f.in[1:], f.n+8
	}
}

func (f *inflater) more() error {
	n, err := f.r.Read(f.buf[:])
	f.in = f.buf[:n]
	if n > 0 {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// take uses n bits.
func (f *inflater) take(n uint) (int, error) {
	if f.n < n {
		return 0, errShort
	}
	v := f.bits & (1<<n - 1)
	f.bits, f.n = f.bits>>n, f.n-n
	return int(v), nil
}

// wait is take where a step cannot be begun anew.
func (f *inflater) wait(n uint) (int, error) {
	for f.n < n {
		if len(f.in) == 0 {
			if err := f.more(); err != nil {
				return 0, err
			}
		}
		f.refill()
	}
	return f.take(n)
}

// block reads the beginning of a block.
func (f *inflater) block() error {
	if f.final {
		return io.EOF
	}
	v, err := f.take(3)
	if err != nil {
		return err
	}
	f.final = v&1 == 1
	switch v >> 1 {
	case 0:
		f.take(f.n % 8)
		f.step = (*inflater).storedHead
	case 1:
		f.literal, f.dist = fixedLiteral, fixedDist
		f.step = (*inflater).symbol
	case 2:
		f.step = (*inflater).symbol
		return f.tables()
	default:
		return errDeflate
	}
	return nil
}

func (f *inflater) storedHead() error {
	v, err := f.take(32)
	if err != nil {
		return err
	}
	if v>>16 != ^v&0xffff {
		return errDeflate
	}
	f.stored, f.step = v&0xffff, (*inflater).storedByte
	return nil
}

func (f *inflater) storedByte() error {
	if f.stored == 0 {
		f.step = (*inflater).block
		return nil
	}
	c, err := f.take(8)
	if err == nil {
		f.stored--
		f.put(byte(c))
	}
	return err
}

func (f *inflater) put(c byte) {
	f.window[f.made%window] = c
	f.made++
}

// Base values and numbers of extra bits of lengths and distances (RFC 1951 §3.2.5).
var (
	lengthBase = [...]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [...]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [...]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
)

func distBits(symbol int) uint { return uint(max(0, symbol/2-1)) }

// symbol reads one byte, or one match.
func (f *inflater) symbol() error {
	symbol, err := f.decode(&f.literal)
	switch {
	case err != nil:
		return err
	case symbol < 256:
		f.put(byte(symbol))
		return nil
	case symbol == 256:
		f.step = (*inflater).block
		return nil
	case symbol-257 >= len(lengthBase):
		return errDeflate
	}
	symbol -= 257
	extra, err := f.take(lengthBits[symbol])
	if err != nil {
		return err
	}
	length := lengthBase[symbol] + extra
	if symbol, err = f.decode(&f.dist); err != nil {
		return err
	}
	if symbol >= len(distBase) {
		return errDeflate
	}
	if extra, err = f.take(distBits(symbol)); err != nil {
		return err
	}
	back := distBase[symbol] + extra
	if back > f.made {
		return errDeflate
	}
	for range length {
		f.put(f.window[(f.made-back)%window])
	}
	return nil
}

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
