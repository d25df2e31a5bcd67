// Package pvh makes an executable that links package kernel bootable: virtual
// machine monitors that know PVH (QEMU -kernel, Firecracker, cloud-hypervisor)
// find in it where to begin. The file stays what it was, a program for Linux:
// its program headers change, and some bytes behind them that are nobody's.
//
// A bootable file has exactly one PT_NOTE header, and that one points at Xen's
// PHYS32_ENTRY note, which package kernel carries in its read-only data. QEMU
// takes the first note it finds, linux-loader (Firecracker and
// cloud-hypervisor) the last, so the toolchain's own must go. Segments claim no
// alignment (p_align 0): linux-loader refuses one that is not 0 or a multiple of
// 2 MiB, and no loader needs it.
//
// Make is the last step: strip and objcopy drop a note that no section holds.
//
// Sources: Xen's docs/misc/pvh.pandoc and xen/include/public/elfnote.h; the ELF
// specification, chapter 5.
package pvh

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	// ErrNotELF: not a 64-bit little-endian ELF executable for x86-64.
	ErrNotELF = errors.New("not an ELF executable for x86-64")
	// ErrPIE: the file has no fixed place in memory (it was linked as PIE).
	ErrPIE = errors.New("a position-independent executable cannot boot: link without -buildmode=pie")
	// ErrNoNote: the program does not link package kernel.
	ErrNoNote = errors.New("no PVH note: the program does not link libos/metal/kernel")
)

// note is how Xen's note begins: the lengths of name and value, type, name. The
// value, eight bytes, is the address to begin at.
var note = []byte{4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 'X', 'e', 'n', 0}

const noteSize = 16 + 8

// Make returns the bootable form of elf, which it leaves alone. Of a file that is
// bootable already it returns a copy.
func Make(elf []byte) ([]byte, error) {
	f, err := parse(elf)
	if err != nil {
		return nil, err
	}
	n, err := f.findNote()
	if err != nil {
		return nil, err
	}
	at, there, err := f.place(n)
	if err != nil {
		return nil, err
	}
	b := bytes.Clone(elf)
	if err := f.rewrite(b, n); err != nil {
		return nil, err
	}
	if !there {
		copy(b[at:], f.probe(at, uint32(n.entry)))
		binary.LittleEndian.PutUint64(b[n.offset+16:], f.first().address+uint64(at))
	}
	return b, nil
}

// Entry returns the address at which a virtual machine begins to run elf, as its
// note says.
func Entry(elf []byte) (uint64, error) {
	f, err := parse(elf)
	if err != nil {
		return 0, err
	}
	for _, h := range f.headers {
		if h.kind == ptNote && h.fileSize == noteSize && h.offset <= uint64(len(elf))-noteSize && bytes.HasPrefix(elf[h.offset:], note) {
			return binary.LittleEndian.Uint64(elf[h.offset+16:]), nil
		}
	}
	return 0, ErrNoNote
}

// located is where the note is, in the file and in memory, and where it leads.
type located struct{ offset, address, entry uint64 }

// findNote looks for the note in the segments that are read-only data.
func (f *file) findNote() (located, error) {
	var found []located
	for _, h := range f.headers {
		if h.kind != ptLoad || h.flags != flagRead {
			continue
		}
		segment := f.data[h.offset : h.offset+h.fileSize]
		for at := 0; ; {
			i := bytes.Index(segment[at:], note)
			if i < 0 {
				break
			}
			at += i
			if n := (located{offset: h.offset + uint64(at), address: h.address + uint64(at)}); len(segment)-at >= noteSize && n.address%4 == 0 {
				if n.entry = binary.LittleEndian.Uint64(segment[at+16:]); f.executes(n.entry) {
					found = append(found, n)
				}
			}
			at++
			if len(found) > 1 {
				return located{}, fmt.Errorf("two PVH notes, at %#x and %#x", found[0].address, found[1].address)
			}
		}
	}
	if len(found) == 0 {
		return located{}, ErrNoNote
	}
	return found[0], nil
}
