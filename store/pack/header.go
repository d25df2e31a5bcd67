package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"cairn/store/object"
)

// Hash names an object.
type Hash = object.Hash

// The types that a pack has beside those of objects.
const (
	ofsDelta object.Type = 6
	refDelta object.Type = 7
)

const (
	headerSize  = 12 // "PACK", version, number of objects
	trailerSize = 20 // SHA-1 of all before it
	version     = 2
)

// ErrFormat is what errors are about bytes that are not a well-formed pack or index.
var ErrFormat = errors.New("malformed pack")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// ErrTooLarge is what errors are about objects or packs beyond a limit.
var ErrTooLarge = errors.New("larger than the limit")

func appendPackHeader(dst []byte, count uint32) []byte {
	dst = append(dst, "PACK"...)
	dst = binary.BigEndian.AppendUint32(dst, version)
	return binary.BigEndian.AppendUint32(dst, count)
}

func parsePackHeader(b []byte) (count uint32, err error) {
	if string(b[:4]) != "PACK" {
		return 0, formatError("no signature")
	}
	if v := binary.BigEndian.Uint32(b[4:]); v != version {
		return 0, formatError("version %d", v)
	}
	return binary.BigEndian.Uint32(b[8:]), nil
}

// An entryHeader stands before each zlib stream in a pack.
type entryHeader struct {
	typ      object.Type // also ofsDelta or refDelta
	size     int64       // of what the stream holds
	distance int64       // to the base, for ofsDelta
	base     Hash        // for refDelta
}

func (h *entryHeader) isDelta() bool { return h.typ == ofsDelta || h.typ == refDelta }

func (h *entryHeader) append(dst []byte) []byte {
	size := uint64(h.size)
	c := byte(h.typ)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		dst = append(dst, c|0x80)
		c = byte(size & 0x7f)
	}
	dst = append(dst, c)
	switch h.typ {
	case ofsDelta:
		return appendDistance(dst, uint64(h.distance))
	case refDelta:
		return append(dst, h.base[:]...)
	}
	return dst
}

// appendDistance writes the "offset encoding": big-endian groups of 7 bits, of
// which each that is continued stands for one more.
func appendDistance(dst []byte, d uint64) []byte {
	var b [10]byte
	i := len(b) - 1
	b[i] = byte(d & 0x7f)
	for d >>= 7; d > 0; d >>= 7 {
		d--
		i--
		b[i] = byte(d&0x7f) | 0x80
	}
	return append(dst, b[i:]...)
}

var (
	errHeader   = formatError("entry header")
	errDistance = formatError("delta base offset")
)

// readEntryHeader reads the header of the entry at offset at, to which an ofsDelta's
// distance is relative.
func readEntryHeader(r io.ByteReader, at int64) (h entryHeader, err error) {
	c, err := r.ReadByte()
	if err != nil {
		return h, err
	}
	h.typ = object.Type(c >> 4 & 7)
	h.size = int64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, err = r.ReadByte(); err != nil {
			return h, noEOF(err)
		}
		if shift > 53 {
			return h, errHeader
		}
		h.size |= int64(c&0x7f) << shift
	}
	switch h.typ {
	case object.TypeCommit, object.TypeTree, object.TypeBlob, object.TypeTag:
	case ofsDelta:
		h.distance, err = readDistance(r)
		if err == nil && (h.distance <= 0 || h.distance > at-headerSize) {
			err = errDistance
		}
	case refDelta:
		for i := range h.base {
			if h.base[i], err = r.ReadByte(); err != nil {
				return h, noEOF(err)
			}
		}
	default:
		err = errHeader
	}
	return h, err
}

func readDistance(r io.ByteReader) (int64, error) {
	c, err := r.ReadByte()
	if err != nil {
		return 0, noEOF(err)
	}
	d := int64(c & 0x7f)
	for c&0x80 != 0 {
		if d >= 1<<55 {
			return 0, errDistance
		}
		if c, err = r.ReadByte(); err != nil {
			return 0, noEOF(err)
		}
		d = (d+1)<<7 | int64(c&0x7f)
	}
	return d, nil
}

// noEOF makes an end in the middle of something an error that is not io.EOF.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
