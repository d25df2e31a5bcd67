package pvh

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// TestTail: memory far behind a segment's part of the file is a segment of its own, where
// there is room for its header.
func TestTail(t *testing.T) {
	const address, size = 0x600000, 100 // of the data in the file
	const edge = address + pageSize + cleared
	for name, c := range map[string]struct {
		before []segment
		memory uint64
		want   []uint64 // where segments end, from the data's on
	}{
		"nothing behind":  {[]segment{phdr, {kind: ptNote}}, size, []uint64{address + size}},
		"little":          {[]segment{phdr, {kind: ptNote}}, cleared, []uint64{address + cleared}},
		"much":            {[]segment{phdr, {kind: ptNote}}, 32 << 20, []uint64{edge, address + 32<<20}},
		"much, two notes": {[]segment{{kind: ptNote}, {kind: ptNote}}, 32 << 20, []uint64{edge, address + 32<<20}},
		"no room":         {[]segment{phdr}, 32 << 20, []uint64{address + 32<<20}},
	} {
		data := segment{kind: ptLoad, flags: flagRead | 2, address: address, data: make([]byte, size)}
		in := build(typeExecutable, append(c.before, text, constants(noteTo(0x401010)), data)...)
		at := fileHeaderSize + (len(c.before)+2)*programHeaderSize
		binary.LittleEndian.PutUint64(in[at+24:], address)
		binary.LittleEndian.PutUint64(in[at+40:], c.memory)
		out, err := Make(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f, err := elf.NewFile(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []*elf.Prog
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && p.Vaddr >= address {
				got = append(got, p)
			}
		}
		if len(got) != len(c.want) {
			t.Fatalf("%s: got %d segments of data, want %d", name, len(got), len(c.want))
		}
		next, file := uint64(address), uint64(size)
		for i, p := range got {
			if p.Vaddr != next || p.Paddr != next || p.Filesz != file || p.Vaddr+p.Memsz != c.want[i] || p.Flags != elf.PF_R|elf.PF_W {
				t.Errorf("%s: segment %d: got %+v, want it from %#x to %#x", name, i, p.ProgHeader, next, c.want[i])
			}
			next, file = c.want[i], 0
		}
		if again, err := Make(out); err != nil || !bytes.Equal(again, out) {
			t.Errorf("%s: made once more, it changes (%v)", name, err)
		}
	}
}
