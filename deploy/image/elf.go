package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds on what is read of a file that somebody else made.
const (
	maxFile     = 256 << 20 // bytes of a whole file
	maxSections = 256
	maxSegments = 64
	maxStrings  = 64 << 10 // bytes of the sections' names
)

// Numbers of the ELF-64 object file format, System V ABI chapters 4 and 5.
const (
	headerSize  = 64
	sectionSize = 64
	segmentSize = 56

	machineX86_64 = 62

	typeProgbits = 1
	typeStrtab   = 3
	typeNobits   = 8

	flagWrite = 1
	flagAlloc = 2
	flagExec  = 4

	segmentNote = 4
)

// A section is one of an ELF file.
type section struct {
	name         string
	kind         uint32
	flags        uint64
	address      uint64
	offset, size uint64 // in the file; of NOBITS, offset means nothing
}

// alloc reports whether the section is in memory when the program runs.
func (s section) alloc() bool { return s.flags&flagAlloc != 0 }

// A segment is a program header.
type segment struct {
	kind         uint32
	offset, size uint64 // in the file
}

// An object is an ELF file whose tables have been read and checked: what a section or
// segment has in the file lies inside it.
type object struct {
	r        io.ReaderAt
	size     uint64
	sections []section
	segments []segment
}

var order = binary.LittleEndian

// errNotProgram is what any other file is.
var errNotProgram = errors.New("it is not a program for Linux on x86-64 (ELF)")

// readObject reads the tables of an ELF file of size bytes that may be anybody's.
func readObject(r io.ReaderAt, size int64) (*object, error) {
	if size < headerSize || size > maxFile {
		return nil, fmt.Errorf("%w: it has %d bytes", errNotProgram, size)
	}
	o := &object{r: r, size: uint64(size)}
	h, err := o.read(0, headerSize)
	if err != nil {
		return nil, err
	}
	if string(h[:7]) != "\x7fELF\x02\x01\x01" || order.Uint16(h[18:]) != machineX86_64 {
		return nil, errNotProgram
	}
	if err := o.readSegments(order.Uint64(h[32:]), order.Uint16(h[54:]), order.Uint16(h[56:])); err != nil {
		return nil, err
	}
	return o, o.readSections(order.Uint64(h[40:]), order.Uint16(h[58:]), order.Uint16(h[60:]), order.Uint16(h[62:]))
}

// read returns n bytes of the file, which must be in it.
func (o *object) read(offset, n uint64) ([]byte, error) {
	if offset > o.size || n > o.size-offset {
		return nil, fmt.Errorf("it is damaged: bytes %d to %d are beyond its end", offset, offset+n)
	}
	b := make([]byte, n)
	if got, err := o.r.ReadAt(b, int64(offset)); got < len(b) {
		return nil, fmt.Errorf("read at %d: %w", offset, err)
	}
	return b, nil
}

func (o *object) readSegments(offset uint64, entry, n uint16) error {
	if n > maxSegments || n > 0 && entry != segmentSize {
		return fmt.Errorf("it is damaged: %d program headers of %d bytes", n, entry)
	}
	b, err := o.read(offset, uint64(n)*segmentSize)
	if err != nil {
		return err
	}
	for ; len(b) > 0; b = b[segmentSize:] {
		o.segments = append(o.segments, segment{kind: order.Uint32(b), offset: order.Uint64(b[8:]), size: order.Uint64(b[32:])})
	}
	return nil
}

func (o *object) readSections(offset uint64, entry, n, names uint16) error {
	if n > maxSections || n > 0 && entry != sectionSize || n > 0 && names >= n {
		return fmt.Errorf("it is damaged: %d sections of %d bytes, their names in section %d", n, entry, names)
	}
	b, err := o.read(offset, uint64(n)*sectionSize)
	if err != nil || n == 0 {
		return err
	}
	text := b[int(names)*sectionSize:]
	length := order.Uint64(text[32:])
	if length > maxStrings {
		return fmt.Errorf("it is damaged: its sections have %d bytes of names", length)
	}
	table, err := o.read(order.Uint64(text[24:]), length)
	if err != nil {
		return err
	}
	for ; len(b) > 0; b = b[sectionSize:] {
		s := section{
			name:    nameAt(table, order.Uint32(b)),
			kind:    order.Uint32(b[4:]),
			flags:   order.Uint64(b[8:]),
			address: order.Uint64(b[16:]),
			offset:  order.Uint64(b[24:]),
			size:    order.Uint64(b[32:]),
		}
		if s.kind != typeNobits && (s.offset > o.size || s.size > o.size-s.offset) {
			return fmt.Errorf("it is damaged: section %q lies beyond its end", printable(s.name))
		}
		o.sections = append(o.sections, s)
	}
	return nil
}

// nameAt is the zero-terminated text at an offset, "" where there is none.
func nameAt(table []byte, offset uint32) string {
	if uint64(offset) >= uint64(len(table)) {
		return ""
	}
	name, _, _ := bytes.Cut(table[offset:], []byte{0})
	return string(name)
}

// section returns the first section of that name.
func (o *object) section(name string) (section, bool) {
	for _, s := range o.sections {
		if s.name == name && s.kind != typeNobits {
			return s, true
		}
	}
	return section{}, false
}

// data returns what a section of at most limit bytes holds, nil where there is none.
func (o *object) data(name string, limit uint64) ([]byte, error) {
	s, ok := o.section(name)
	if !ok {
		return nil, nil
	}
	if s.size > limit {
		return nil, fmt.Errorf("section %s has %d bytes, more than %d", name, s.size, limit)
	}
	return o.read(s.offset, s.size)
}

// printable is text from a file that somebody else made, as it may go to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return '?'
		}
		return r
	}, s)
}
