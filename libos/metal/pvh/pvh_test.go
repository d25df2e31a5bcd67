package pvh

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// segment is a program header and, for PT_LOAD, what is in it.
type segment struct {
	kind, flags uint32
	address     uint64
	data        []byte
}

// build lays out an ELF file as Go's linker does: headers first, and a page for them at the
// beginning of the segment of code.
func build(kind uint16, segments ...segment) []byte {
	le := binary.LittleEndian
	b := make([]byte, fileHeaderSize+len(segments)*programHeaderSize)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], kind)
	le.PutUint16(b[18:], machineX86)
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[32:], fileHeaderSize)
	le.PutUint16(b[52:], fileHeaderSize)
	le.PutUint16(b[54:], programHeaderSize)
	le.PutUint16(b[56:], uint16(len(segments)))
	b = append(b, make([]byte, max(0, pageSize-len(b)))...)
	for i, s := range segments {
		offset, size := len(b), len(s.data)
		b = append(b, s.data...)
		if s.kind == ptLoad && s.flags&flagExecute != 0 && offset == pageSize {
			offset, size, s.address = 0, size+pageSize, s.address-pageSize
		}
		p := b[fileHeaderSize+i*programHeaderSize:]
		le.PutUint32(p, s.kind)
		le.PutUint32(p[4:], s.flags)
		le.PutUint64(p[8:], uint64(offset))
		le.PutUint64(p[16:], s.address)
		le.PutUint64(p[32:], uint64(size))
		le.PutUint64(p[40:], uint64(size))
		le.PutUint64(p[48:], 0x1000)
	}
	return b
}

func noteTo(address uint64) []byte {
	return binary.LittleEndian.AppendUint64(bytes.Clone(note), address)
}

var (
	phdr = segment{kind: ptPhdr, flags: flagRead}
	text = segment{kind: ptLoad, flags: flagRead | flagExecute, address: 0x401000, data: make([]byte, 64)}
)

func constants(data []byte) segment {
	return segment{kind: ptLoad, flags: flagRead, address: 0x500000, data: data}
}

func TestMake(t *testing.T) {
	good := constants(append([]byte("12345678"), noteTo(0x401010)...))
	for name, segments := range map[string][]segment{
		"in the place of PT_PHDR":     {phdr, text, good},
		"in the place of a note":      {phdr, text, {kind: ptNote, flags: flagRead, data: []byte("Go's own")}, good},
		"in the place of three notes": {{kind: ptNote}, {kind: ptNote}, text, {kind: ptNote}, good},
	} {
		t.Run(name, func(t *testing.T) {
			in := build(typeExecutable, segments...)
			before := bytes.Clone(in)
			out, err := Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(in, before) {
				t.Error("the input has changed")
			}
			check(t, in, out, 0x401010)
		})
	}
}

// check compares a bootable file with what it was made from.
func check(t *testing.T, in, out []byte, entry uint64) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	notes := 0
	want := bytes.Clone(in)
	var code uint64 // where the probe is
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
			if p.Align != 0 {
				t.Errorf("segment at %#x has alignment %d, want 0", p.Vaddr, p.Align)
			}
		case elf.PT_NOTE:
			notes++
			got := make([]byte, noteSize)
			if _, err := p.ReadAt(got, 0); err != nil || !bytes.HasPrefix(got, note) || p.Filesz != noteSize || p.Align != 4 {
				t.Errorf("note % x (%v)", got, err)
			}
			if p.Paddr != p.Vaddr {
				t.Errorf("physical address %#x, want %#x", p.Paddr, p.Vaddr)
			}
			code = binary.LittleEndian.Uint64(got[16:])
			copy(want[p.Off:], got)
		}
	}
	if notes != 1 {
		t.Errorf("%d notes, want 1", notes)
	}
	if got, err := Entry(out); err != nil || got != code {
		t.Errorf("entry %#x, %v, want %#x", got, err, code)
	}
	checkProbe(t, f, want, code, entry)
	headers := fileHeaderSize + len(f.Progs)*programHeaderSize
	if !bytes.Equal(want[:fileHeaderSize], out[:fileHeaderSize]) || !bytes.Equal(want[headers:], out[headers:]) {
		t.Error("more has changed than the program headers, where the note leads, and what was free")
	}
	if again, err := Make(out); err != nil || !bytes.Equal(again, out) {
		t.Errorf("made once more, it changes (%v)", err)
	}
}

// checkProbe looks at the code that runs first, and lays the same into want, where there must
// have been nothing.
func checkProbe(t *testing.T, f *elf.File, want []byte, code, entry uint64) {
	t.Helper()
	var first, last uint64
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Off == 0 {
			first = p.Vaddr
		}
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			last = max(last, p.Vaddr+p.Filesz)
		}
	}
	b := probe(uint32(code), uint32(last-4)&^3, uint32(entry))
	at := code - first
	if len(b) != probeSize || string(b[probeCode+8:]) != message || at > uint64(pageSize-probeSize) {
		t.Fatalf("the probe has %d bytes at %#x of the first page", len(b), at)
	}
	for i, c := range want[at:][:probeSize] {
		if c != 0 {
			t.Fatalf("the probe overwrites what is at %#x", int(at)+i)
		}
	}
	copy(want[at:], b)
}

func TestRefused(t *testing.T) {
	anything := errors.New("anything")
	file := build(typeExecutable, phdr, text, constants(noteTo(0x401000)))
	short := bytes.Clone(file)
	binary.LittleEndian.PutUint64(short[32:], uint64(len(short)-10))
	inside := build(typeExecutable, phdr, text, segment{kind: ptLoad, flags: flagRead, data: noteTo(0x401000)})
	copy(inside[fileHeaderSize+32:], noteTo(0x401000))
	binary.LittleEndian.PutUint64(inside[fileHeaderSize+2*programHeaderSize+8:], fileHeaderSize+32)
	arm := bytes.Clone(file)
	arm[18] = 183
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":                        {nil, ErrNotELF},
		"a script":                     {[]byte("#!/bin/sh\n" + string(make([]byte, 100))), ErrNotELF},
		"another processor":            {arm, ErrNotELF},
		"an object file":               {build(1, phdr, text), ErrNotELF},
		"PIE":                          {build(typeShared, phdr, text, constants(noteTo(0x401000))), ErrPIE},
		"no segments":                  {build(typeExecutable), anything},
		"headers beyond the end":       {short, anything},
		"a segment beyond the end":     {file[:len(file)-1], anything},
		"no note":                      {build(typeExecutable, phdr, text, constants(make([]byte, 100))), ErrNoNote},
		"a note in writable data":      {build(typeExecutable, phdr, text, segment{ptLoad, flagRead | 2, 0x500000, noteTo(0x401000)}), ErrNoNote},
		"a note that leads nowhere":    {build(typeExecutable, phdr, text, constants(noteTo(0x1000))), ErrNoNote},
		"a note that is cut off":       {build(typeExecutable, phdr, text, constants(note)), ErrNoNote},
		"two notes":                    {build(typeExecutable, phdr, text, constants(append(noteTo(0x401000), noteTo(0x401000)...))), anything},
		"no free page for the probe":   {build(typeExecutable, phdr, segment{kind: ptLoad, flags: flagRead, address: 0x401000, data: make([]byte, 64)}, constants(noteTo(0x401000))), errNoRoom},
		"above 4 GiB":                  {build(typeExecutable, phdr, text, segment{ptLoad, flagRead, 1 << 32, noteTo(0x401000)}), anything},
		"no header in whose place":     {build(typeExecutable, text, constants(noteTo(0x401000))), anything},
		"a note in the headers":        {inside, anything},
		"a note that is not aligned":   {build(typeExecutable, phdr, text, constants(append([]byte("1"), noteTo(0x401000)...))), ErrNoNote},
		"the program headers are many": {build(typeExecutable, make([]segment, maxHeaders+1)...), anything},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Make(c.file)
			if err == nil || b != nil || c.want != anything && !errors.Is(err, c.want) {
				t.Errorf("got %d bytes and %v, want error %v", len(b), err, c.want)
			}
			if _, err := Entry(c.file); err == nil {
				t.Error("it has an entry")
			}
		})
	}
}

// TestProgram makes a real program bootable.
func TestProgram(t *testing.T) {
	for _, flags := range []string{"", "-s -w", "-s -w -buildid="} {
		name := filepath.Join(t.TempDir(), "program")
		cmd := exec.Command("go", "build", "-ldflags="+flags, "-o", name, "../kernel/testdata/selftest")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		in, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Make(in)
		if err != nil {
			t.Fatalf("with %q: %v", flags, err)
		}
		code, err := Entry(out)
		if err != nil {
			t.Fatal(err)
		}
		// The jump lies at byte 17 of the probe, in the first page.
		at := code & (pageSize - 1)
		entry := code + 22 + uint64(binary.LittleEndian.Uint32(out[at+18:]))
		check(t, in, out, entry)
	}
}

func FuzzMake(f *testing.F) {
	f.Add(build(typeExecutable, phdr, text, constants(noteTo(0x401000))))
	f.Add(build(typeExecutable, segment{kind: ptNote}, text, constants(append(noteTo(0x401000), noteTo(0x401000)...))))
	f.Add(build(typeShared, phdr, text))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := Make(in)
		if err != nil {
			return
		}
		if len(out) != len(in) {
			t.Errorf("%d bytes became %d", len(in), len(out))
		}
		if again, err := Make(out); err != nil || !bytes.Equal(again, out) {
			t.Errorf("made once more, it changes (%v)", err)
		}
		if _, err := Entry(out); err != nil {
			t.Errorf("no entry: %v", err)
		}
	})
}
