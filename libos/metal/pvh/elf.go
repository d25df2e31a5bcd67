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

// header is a program header. The part of the file that it covers has been checked to be
// there.
type header struct {
	kind, flags                 uint32
	offset, address, physical   uint64
	fileSize, memorySize, align uint64
}

func (h header) put(p []byte) {
	le := binary.LittleEndian
	le.PutUint32(p, h.kind)
	le.PutUint32(p[4:], h.flags)
	for i, v := range [...]uint64{h.offset, h.address, h.physical, h.fileSize, h.memorySize, h.align} {
		le.PutUint64(p[8+8*i:], v)
	}
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
		h := header{
			kind: le.Uint32(p), flags: le.Uint32(p[4:]), offset: le.Uint64(p[8:]), address: le.Uint64(p[16:]), physical: le.Uint64(p[24:]),
			fileSize: le.Uint64(p[32:]), memorySize: le.Uint64(p[40:]), align: le.Uint64(p[48:]),
		}
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

// header is that of the note.
func (n located) header() header {
	return header{
		kind: ptNote, flags: flagRead, offset: n.offset, address: n.address, physical: n.address,
		fileSize: noteSize, memorySize: noteSize, align: 4,
	}
}

// rewrite changes the program headers in b, a copy of the file. The note takes
// the place of another, or of PT_PHDR, which only a dynamic linker reads; a tail takes a second
// such place.
func (f *file) rewrite(b []byte, n located) error {
	table := b[f.table : f.table+len(f.headers)*programHeaderSize]
	if n.offset < uint64(f.table+len(table)) && n.offset+noteSize > uint64(f.table) {
		return errors.New("the note lies in the program headers")
	}
	free := 0
	list := []header{n.header()}
	for _, h := range f.headers {
		switch h.kind {
		case ptNote, ptPhdr:
			free++
			continue
		case ptLoad:
			h.align = 0
		}
		list = append(list, h)
	}
	switch {
	case free == 0:
		return errors.New("no program header that the note could take the place of: want PT_NOTE or PT_PHDR")
	case free > 1:
		list = cutTail(list)
	}
	clear(table)
	for i, h := range list {
		h.put(table[i*programHeaderSize:])
	}
	return nil
}
