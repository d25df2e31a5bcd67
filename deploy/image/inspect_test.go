package image

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestInspect(t *testing.T) {
	i := inspectTiny(t)
	if i.Manifest.Name != "tiny" || !i.Bootable || i.Program() != "tiny" || i.Unlisted != "" {
		t.Errorf("got %+v", i)
	}
	z := i.Sizes
	if got := z.Text + z.Constant + z.Table + z.Data + z.Aside; got != z.File || z.Compressed >= z.File || z.Compressed == 0 {
		t.Errorf("the parts are %d bytes of %d, compressed %d", got, z.File, z.Compressed)
	}
	if c := i.Calls; !slices.Contains(c.Card, "exit_group") || len(c.Folder) == 0 || !slices.ContainsFunc(c.Host, func(s string) bool { return strings.HasPrefix(s, "socket(") }) {
		t.Errorf("got system calls %+v", c)
	}
	packages := map[string]Package{}
	text := int64(0)
	for _, p := range i.Packages {
		packages[p.Path] = p
		text += p.Bytes
	}
	for _, want := range []string{"runtime", "cairn/libos", "cairn/libos/metal/kernel", "cairn/deploy/image/testdata/tiny", "encoding/json"} {
		if p := packages[want]; p.Lines == 0 || p.Functions == 0 || p.Bytes == 0 {
			t.Errorf("%s: got %+v", want, p)
		}
	}
	if p := packages["cairn/deploy/image/testdata/tiny"]; p.Lines > 30 || p.Functions > 5 {
		t.Errorf("tiny itself is %+v, and it has fewer lines", p)
	}
	if text < z.Text*9/10 || text > z.Text {
		t.Errorf("the packages have %d bytes of instructions, the file %d", text, z.Text)
	}
}

// TestOther looks at what is no image.
func TestOther(t *testing.T) {
	plain := bytes.ReplaceAll(tiny(t).Image, []byte(manifestSection), []byte(".other.section!"))
	if _, err := Inspect(bytes.NewReader(plain), int64(len(plain))); !errors.Is(err, ErrNotImage) {
		t.Errorf("a program: got %v, want %v", err, ErrNotImage)
	}
	for _, text := range []string{"", "#!/bin/sh\n", "\x7fELF", strings.Repeat("\x7fELF", 100)} {
		if _, err := Inspect(strings.NewReader(text), int64(len(text))); !errors.Is(err, errNotProgram) {
			t.Errorf("%.10q: got %v, want %v", text, err, errNotProgram)
		}
	}
}

// TestDamaged cuts an image short and changes bytes in its tables: errors may follow,
// and nothing else.
func TestDamaged(t *testing.T) {
	whole := tiny(t).Image
	for _, n := range []int{1, 63, 64, 120, 4096, len(whole) / 2, len(whole) - 64, len(whole) - 1} {
		if _, err := Inspect(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Errorf("the first %d bytes of %d are taken for an image", n, len(whole))
		}
	}
	o, err := readObject(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	table, _ := o.section(tableSection)
	random := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		b := bytes.Clone(whole)
		for range 1 + random.IntN(8) {
			places := []int{random.IntN(64), 64 + random.IntN(5*segmentSize), len(b) - 1 - random.IntN(20*sectionSize), int(table.offset) + random.IntN(72), int(table.offset + random.Uint64N(table.size))}
			b[places[random.IntN(len(places))]] = byte(random.IntN(256))
		}
		damaged, err := readObject(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		if _, err := packages(damaged); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	}
}

// FuzzInspect reads files that begin as a small image.
func FuzzInspect(f *testing.F) {
	small := smallImage(f)
	f.Add(small)
	f.Add(small[:len(small)/2])
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := Inspect(bytes.NewReader(data), int64(len(data)))
		if err == nil && i.Sizes.File != int64(len(data)) {
			t.Errorf("got %d bytes, want %d", i.Sizes.File, len(data))
		}
	})
}

func TestSmallImage(t *testing.T) {
	small := smallImage(t)
	i, err := Inspect(bytes.NewReader(small), int64(len(small)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Package{
		{Path: "example.org/shop/till", Module: "example.org/shop@v1.2.3", Functions: 1, Bytes: 8, Lines: 2},
		{Path: "runtime", Functions: 1, Bytes: 8, Lines: 3},
	}
	if len(i.Packages) != 2 || i.Packages[0] != want[0] || i.Packages[1] != want[1] {
		t.Errorf("got %+v (%s), want %+v", i.Packages, i.Unlisted, want)
	}
}

// smallImage is an image made by hand, of two functions. The first is main.pay of till.go, lines
// 7 and 8, with line 3 of the runtime inlined; the second is of the runtime, lines 3 to 5.
func smallImage(t testing.TB) []byte {
	t.Helper()
	var program bytes.Buffer
	program.Write(make([]byte, headerSize))
	text := program.Len()
	program.Write(make([]byte, 16))
	table := program.Len()
	program.Write(smallTable())
	names := program.Len()
	program.WriteString("\x00.shstrtab\x00.text\x00.gopclntab\x00")
	end := program.Len()
	program.Write(make([]byte, sectionSize))
	for _, s := range []struct {
		name         int
		kind, flags  uint32
		offset, size int
	}{
		{1, typeStrtab, 0, names, end - names},
		{11, typeProgbits, flagAlloc | flagExec, text, 16},
		{17, typeProgbits, flagAlloc, table, names - table},
	} {
		b := entry(s.name, s.kind, s.offset, s.size)
		order.PutUint64(b[8:], uint64(s.flags))
		program.Write(b)
	}
	b := program.Bytes()
	copy(b, "\x7fELF\x02\x01\x01")
	order.PutUint16(b[18:], machineX86_64)
	order.PutUint64(b[40:], uint64(end))
	order.PutUint16(b[58:], sectionSize)
	order.PutUint16(b[60:], 4)
	order.PutUint16(b[62:], 1)
	out, err := attach(b, []addition{{manifestSection, []byte(`{"name":"till","about":"Takes money."}`)}, {factsSection, []byte(`{"go":"go1.26.3"}`)}, {billSection, []byte(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// smallTable is the function table of smallImage.
func smallTable() []byte {
	names := "\x00main.pay\x00runtime.other\x00"
	files := "example.org/shop@v1.2.3/till/till.go\x00runtime/proc.go\x00"
	units := order.AppendUint32(order.AppendUint32(nil, 0), 37)
	values := []byte{0,
		2, 4, 2, 4, 0, // at 1: file 0 for 4 bytes, then file 1
		16, 2, 2, 2, 9, 4, 0, // at 6: lines 7 and 8, then 3
		4, 8, 0, // at 13: file 1
		8, 2, 2, 2, 2, 4, 0, // at 16: lines 3, 4, 5
	}
	entries := make([]byte, 2*8+4)
	record := func(start, name, file, line uint32) {
		r := make([]byte, 44)
		for at, v := range map[int]uint32{0: start, 4: name, 20: file, 24: line} {
			order.PutUint32(r[at:], v)
		}
		entries = append(entries, r...)
	}
	for i := range 2 {
		order.PutUint32(entries[8*i:], uint32(8*i))
		order.PutUint32(entries[8*i+4:], uint32(20+44*i))
	}
	order.PutUint32(entries[16:], 16)
	record(0, 1, 1, 6)
	record(8, 10, 13, 16)

	head := make([]byte, 72)
	order.PutUint32(head, magic)
	head[6], head[7] = 1, 8
	order.PutUint64(head[8:], 2)
	offset := uint64(72)
	var body []byte
	for i, part := range [][]byte{[]byte(names), units, []byte(files), values, entries} {
		order.PutUint64(head[32+8*i:], offset)
		body = append(body, part...)
		offset += uint64(len(part))
	}
	return append(head, body...)
}
