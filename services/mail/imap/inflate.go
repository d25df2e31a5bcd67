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
