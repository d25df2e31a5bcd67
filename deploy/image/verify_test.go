package image

import (
	"bytes"
	"strings"
	"testing"
)

// TestCompare names the first difference of two images, from what tells most to what tells least.
func TestCompare(t *testing.T) {
	whole, facts := tiny(t).Image, tiny(t).Facts
	o, err := readObject(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := o.section(".text")
	rodata, _ := o.section(".rodata")
	unused := uint64(headerSize + len(o.segments)*segmentSize) // where the toolchain's own table of sections was
	main := mainFunction(t, o)
	change := func(at uint64) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	other := func(edit func(*Facts)) Facts {
		f := facts
		f.Settings = append([]Setting(nil), f.Settings...)
		f.Modules = append([]Module{{Path: "example.org/lib", Version: "v1.0.0", Sum: "h1:x"}}, f.Modules...)
		edit(&f)
		return f
	}
	with := other(func(*Facts) {})
	for _, c := range []struct {
		name       string
		image      []byte
		have, made Facts
		want       string
	}{
		{"the same", whole, facts, facts, ""},
		{"go", change(text.offset), other(func(f *Facts) { f.Go = "go1.26.3" }), with, "Go version: the image has go1.26.3, the source makes " + facts.Go},
		{"module", change(text.offset), other(func(f *Facts) { f.Modules[0].Version = "v1.0.1" }), with, "module example.org/lib: the image has example.org/lib v1.0.1 h1:x, the source makes example.org/lib v1.0.0 h1:x"},
		{"no module", change(text.offset), with, other(func(f *Facts) { f.Modules = f.Modules[1:] }), "module example.org/lib: the image has example.org/lib v1.0.0 h1:x, the source makes none"},
		{"setting", change(text.offset), other(func(f *Facts) { f.Settings = append(f.Settings, Setting{"-tags", "x"}) }), with, "setting -tags: the image has x, the source makes none"},
		{"changes", change(text.offset), other(func(f *Facts) { f.Settings = []Setting{{"vcs.modified", "true"}} }), other(func(f *Facts) { f.Settings = []Setting{{"vcs.modified", "false"}} }), "setting vcs.modified: the image has true, the source makes false\n"},
		{"manifest", bytes.Replace(whole, []byte(`"name":"listen"`), []byte(`"name":"lisp!!"`), 1), facts, facts, `manifest, line 6: the image has "name": "lisp!!",, the source makes "name": "listen",`},
		{"instruction", change(text.offset + main.start), facts, facts, "section .text, in main.main, offset "},
		{"data", change(rodata.offset + 5), facts, facts, "section .rodata, offset 0x5 "},
		{"no section", change(unused), facts, facts, "in no section"},
	} {
		d, err := compare(c.image, whole, c.have, c.made)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := ""
		if d != nil {
			got = d.String()
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func mainFunction(t *testing.T, o *object) function {
	t.Helper()
	data, err := o.data(tableSection, maxTable)
	if err != nil {
		t.Fatal(err)
	}
	table, err := parseTable(data)
	if err != nil {
		t.Fatal(err)
	}
	var main function
	if _, err := table.walk(func(f function) {
		if f.name == "main.main" {
			main = f
		}
	}); err != nil || main.size == 0 {
		t.Fatalf("main.main: got %+v, %v", main, err)
	}
	return main
}

// TestVerifyRefuses says what differs before it builds, where it can: another Go, another revision. That
// the same source makes the same image is shown in test.
func TestVerifyRefuses(t *testing.T) {
	b := *tiny(t)
	for _, c := range []struct {
		what string
		edit func(*Facts)
	}{
		{"Go version", func(f *Facts) { f.Go = "go1.20" }},
		{"revision of the source", func(f *Facts) { f.Settings = []Setting{{"vcs.revision", "0123456789abcdef0123456789abcdef01234567"}} }},
	} {
		b.Facts = tiny(t).Facts
		c.edit(&b.Facts)
		sections, err := b.sections()
		if err != nil {
			t.Fatal(err)
		}
		program := bytes.ReplaceAll(b.Image, []byte(".cairn."), []byte(".other."))
		image, err := attach(program, sections)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := Verify(t.Context(), image, ""); err != nil || d == nil || d.What != c.what {
			t.Errorf("got %v, %v, want a difference: %s", d, err, c.what)
		}
	}
}
