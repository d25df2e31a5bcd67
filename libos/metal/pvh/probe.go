package pvh

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// QEMU loads of a file what the machine's memory holds, and starts it without a word about the
// rest. So what runs first lies at the file's very beginning, in what the linker leaves free
// of the first page behind its headers: the probe. It looks whether there is memory where
// the file's last word belongs, and goes on to package kernel; or it says so and ends the machine,
// as the kernel does: by QEMU's isa-debug-exit, the keyboard controller, or a fault that
// nobody serves.

// pageSize is that of the first page, the probe's.
const pageSize = 4096

const message = "\r\ncairn: kernel: the machine has less memory than the image needs\r\ncairn: exit status 2\r\n\x00"

// probe is the code at address, for 32-bit mode without paging; EBX, where the VMM left word, stays.
func probe(address, last, entry uint32) []byte {
	le := binary.LittleEndian
	b := []byte{0xbe}            // MOV ESI, last
	b = le.AppendUint32(b, last) //
	b = append(b, 0x8b, 0x06)    // MOV EAX, [ESI]
	b = append(b, 0xf7, 0xd0)    // NOT EAX
	b = append(b, 0x89, 0x06)    // MOV [ESI], EAX
	b = append(b, 0x3b, 0x06)    // CMP EAX, [ESI]
	b = append(b, 0x75, 7)       // JNE small
	b = append(b, 0xf7, 0x16)    // NOT [ESI]
	b = append(b, 0xe9)          // JMP entry
	b = le.AppendUint32(b, entry-(address+uint32(len(b))+4))
	text, zeros := address+probeCode+8, address+probeCode
	b = append(b, 0xbe)                // small: MOV ESI, text
	b = le.AppendUint32(b, text)       //
	b = append(b, 0xba, 0xf8, 3, 0, 0) // MOV EDX, 0x3f8: the console
	b = append(b, 0xac)                // next: LODSB
	b = append(b, 0x84, 0xc0)          // TEST AL, AL
	b = append(b, 0x74, 3)             // JZ told
	b = append(b, 0xee)                // OUT DX, AL
	b = append(b, 0xeb, 0xf8)          // JMP next
	b = append(b, 0xba, 0xf4, 0, 0, 0) // told: MOV EDX, 0xf4: isa-debug-exit
	b = append(b, 0xb8, 2, 0, 0, 0)    // MOV EAX, 2
	b = append(b, 0xef)                // OUT DX, EAX
	b = append(b, 0xb2, 0x64)          // MOV DL, 0x64: the keyboard controller
	b = append(b, 0xb0, 0xfe)          // MOV AL, 0xfe: reset
	b = append(b, 0xee)                // OUT DX, AL
	b = append(b, 0x0f, 0x01, 0x1d)    // LIDT [zeros]
	b = le.AppendUint32(b, zeros)      //
	b = append(b, 0x0f, 0x0b)          // UD2
	b = append(b, make([]byte, 8)...)  // zeros: an interrupt table without entries
	return append(b, message...)
}

// probeCode is the length of the code, probeSize that of all.
const (
	probeCode = 65
	probeSize = probeCode + 8 + len(message)
)

// errNoRoom: what the linker leaves free is enough by far.
var errNoRoom = errors.New("no room in the first page for the code that looks how much memory there is")

// place finds where the probe is in f already, or else where there is room for it.
func (f *file) place(n located) (at int, there bool, err error) {
	first := f.first()
	if first == nil {
		return 0, false, errNoRoom
	}
	if f.end() > 1<<32 {
		return 0, false, errors.New("it lies above 4 GiB")
	}
	if entry := n.entry - first.address; entry < pageSize-uint64(probeSize) {
		at = int(entry)
		jump := binary.LittleEndian.Uint32(f.data[at+18:])
		if bytes.Equal(f.data[at:at+probeSize], f.probe(at, uint32(n.entry)+22+jump)) {
			return at, true, nil
		}
	}
	// The section table may begin anywhere.
	le := binary.LittleEndian
	sections, size := le.Uint64(f.data[40:]), uint64(le.Uint16(f.data[58:]))*uint64(le.Uint16(f.data[60:]))
	for at := (f.table + len(f.headers)*programHeaderSize + 15) &^ 15; at+probeSize <= pageSize; at += 16 {
		from, to := uint64(at), uint64(at+probeSize)
		if from < sections+size && sections < to || from < n.offset+noteSize && n.offset < to {
			continue
		}
		if bytes.Count(f.data[from:to], []byte{0}) == probeSize {
			return at, false, nil
		}
	}
	return 0, false, errNoRoom
}

// first is the segment that has the file's first page, if the processor runs that.
func (f *file) first() *header {
	for i, h := range f.headers {
		if h.kind == ptLoad && h.flags&flagExecute != 0 && h.offset == 0 && h.fileSize >= pageSize {
			return &f.headers[i]
		}
	}
	return nil
}

// probe is the code for offset at of the first page.
func (f *file) probe(at int, entry uint32) []byte {
	return probe(uint32(f.first().address)+uint32(at), uint32(f.end()-4)&^3, entry)
}

// end is where in memory the part ends that comes from the file.
func (f *file) end() (end uint64) {
	for _, h := range f.headers {
		if h.kind == ptLoad && h.fileSize > 0 {
			end = max(end, h.address, h.address+h.fileSize)
		}
	}
	return end
}
