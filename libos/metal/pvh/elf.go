package pvh

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Offsets and values of the ELF format, for x86-64.
const (
	fileHeaderSize    = 64
	programHeaderSize = 56
	maxHeaders        = 64 // Go's linker writes about ten

	machineX86     = 62
	typeExecutable = 2
	typeShared     = 3

	ptLoad = 1
	ptNote = 4
	ptPhdr = 6

	flagExecute = 1
	flagRead    = 4
)

// file is an ELF file and its program headers.
type file struct {
	data    []byte
	table   int // offset of the program headers
	headers []header
}

// header is a program header as far as it matters here. The part of the file that
// it covers has been checked to be there.
type header struct {
	kind, flags          uint32
	offset, address      uint64
	fileSize, memorySize uint64
}

func parse(b []byte) (*file, error) {
	le := binary.LittleEndian
	if len(b) < fileHeaderSize || !bytes.HasPrefix(b, []byte{0x7f, 'E', 'L', 'F', 2, 1, 1}) || le.Uint16(b[18:]) != machineX86 {
		return nil, ErrNotELF
	}
	switch le.Uint16(b[16:]) {
	case typeExecutable:
	case typeShared:
		return nil, ErrPIE
	default:
		return nil, ErrNotELF
	}
	table, size, n := le.Uint64(b[32:]), le.Uint16(b[54:]), int(le.Uint16(b[56:]))
	if size != programHeaderSize || n == 0 || n > maxHeaders {
		return nil, fmt.Errorf("%d program headers of %d bytes: want 1 to %d of %d", n, size, maxHeaders, programHeaderSize)
	}
	if table < fileHeaderSize || table > uint64(len(b)) || uint64(len(b))-table < uint64(n*programHeaderSize) {
		return nil, errors.New("the program headers lie beyond the end of the file, or in its own header")
	}
	f := &file{data: b, table: int(table)}
	for i := range n {
		p := b[f.table+i*programHeaderSize:]
		h := header{le.Uint32(p), le.Uint32(p[4:]), le.Uint64(p[8:]), le.Uint64(p[16:]), le.Uint64(p[32:]), le.Uint64(p[40:])}
		if h.offset > uint64(len(b)) || h.fileSize > uint64(len(b))-h.offset {
			return nil, fmt.Errorf("segment %d lies beyond the end of the file", i)
		}
		f.headers = append(f.headers, h)
	}
	return f, nil
}

// executes tells whether there is something at address that the program itself
// brings into memory: where a note may send the processor.
func (f *file) executes(address uint64) bool {
	for _, h := range f.headers {
		if h.kind == ptLoad && address >= h.address && address-h.address < h.fileSize {
			return true
		}
	}
	return false
}

// rewrite changes the program headers in b, a copy of the file. The note takes
// the place of another, or of PT_PHDR, which only a dynamic linker reads.
func (f *file) rewrite(b []byte, n located) error {
	at := f.index(ptNote)
	if at < 0 {
		at = f.index(ptPhdr)
	}
	if at < 0 {
		return errors.New("no program header that the note could take the place of: want PT_NOTE or PT_PHDR")
	}
	if end := uint64(f.table + len(f.headers)*programHeaderSize); n.offset < end && n.offset+noteSize > uint64(f.table) {
		return errors.New("the note lies in the program headers")
	}
	le := binary.LittleEndian
	for i, h := range f.headers {
		p := b[f.table+i*programHeaderSize:]
		switch {
		case i == at:
			le.PutUint32(p, ptNote)
			le.PutUint32(p[4:], flagRead)
			le.PutUint64(p[8:], n.offset)
			le.PutUint64(p[16:], n.address)
			le.PutUint64(p[24:], n.address)
			le.PutUint64(p[32:], noteSize)
			le.PutUint64(p[40:], noteSize)
			le.PutUint64(p[48:], 4)
		case h.kind == ptNote:
			clear(p[:programHeaderSize])
		case h.kind == ptLoad:
			le.PutUint64(p[48:], 0)
		}
	}
	return nil
}

func (f *file) index(kind uint32) int {
	for i, h := range f.headers {
		if h.kind == kind {
			return i
		}
	}
	return -1
}
