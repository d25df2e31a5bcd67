package image

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"cairn/libos"
)

func testContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Minute)
}

// TestBuild looks at an image by other means than ours.
func TestBuild(t *testing.T) {
	b := tiny(t)
	f, err := elf.NewFile(bytes.NewReader(b.Image))
	if err != nil {
		t.Fatal(err)
	}
	var m libos.Manifest
	var facts Facts
	for name, into := range map[string]any{manifestSection: &m, factsSection: &facts} {
		data, err := f.Section(name).Data()
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s := f.Section(name); s.Flags&elf.SHF_ALLOC != 0 || s.Addr != 0 {
			t.Errorf("%s is loaded into memory: %+v", name, s)
		}
	}
	if !reflect.DeepEqual(m, b.Manifest) || m.Name != "tiny" || len(m.Ports) != 1 {
		t.Errorf("got manifest %+v", m)
	}
	if !reflect.DeepEqual(facts, b.Facts) || facts.Program != "cairn/deploy/image/testdata/tiny" || facts.Module.Path != "cairn" {
		t.Errorf("got facts %+v", facts)
	}
	for key, want := range map[string]string{"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": "amd64", "GOAMD64": "v1", "-trimpath": "true"} {
		if got := facts.Setting(key); got != want {
			t.Errorf("setting %s: got %q, want %q", key, got, want)
		}
	}
	notes := 0
	for _, p := range f.Progs {
		if p.Type == elf.PT_NOTE {
			notes++
		}
		if p.Type == elf.PT_LOAD && p.Filesz > 0 && p.Memsz > p.Filesz+2<<20 {
			t.Errorf("a VMM clears %d bytes behind segment %#x", p.Memsz-p.Filesz, p.Vaddr)
		}
	}
	if notes != 1 || f.Section(".symtab") != nil {
		t.Errorf("got %d notes and symbols %v, want one note and no symbols", notes, f.Section(".symtab") != nil)
	}
}

func TestTried(t *testing.T) {
	for version, want := range map[string]bool{"go1.26": true, "go1.26.3": true, "go1.26.3 X:nogreenteagc": true, "go1.260": false, "go1.27.1": false, "devel": false} {
		if got := (Facts{Go: version}).Tried(); got != want {
			t.Errorf("%s: got %v, want %v", version, got, want)
		}
	}
	if !tiny(t).Facts.Tried() {
		t.Errorf("%s has not been tried, and go.mod wants it", tiny(t).Facts.Go)
	}
}

// TestTools lets the tools that people use read an image.
func TestTools(t *testing.T) {
	name := tinyFile(t)
	out := ask(t, "readelf", "-aW", name)
	for _, want := range []string{".cairn.manifest", ".cairn.build", ".cairn.sbom"} {
		if !strings.Contains(out, want) {
			t.Errorf("readelf does not name %s", want)
		}
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "Warning") || strings.Contains(line, "Error") {
			t.Errorf("readelf complains: %s", line)
		}
	}
	if out := ask(t, "go", "version", "-m", name); !strings.Contains(out, "path\tcairn/deploy/image/testdata/tiny") {
		t.Errorf("go version -m says:\n%s", out)
	}
	if out := ask(t, "file", name); !strings.Contains(out, "ELF 64-bit LSB executable, x86-64") || !strings.Contains(out, "stripped") {
		t.Errorf("file says: %s", out)
	}
}

func TestBuildRefuses(t *testing.T) {
	for program, want := range map[string]string{
		"":                    "say which program",
		"nothing-of-the-sort": "there is no program",
		"cairn/libos":         "not one main package",
		"cairn/cmd/...":       "not one main package",
		"staticcheck":         "there is no program",
	} {
		_, err := Build(t.Context(), Options{Program: program})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error that says %q", program, err, want)
		}
	}
	if _, err := Build(t.Context(), Options{Program: "unipi", Source: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "building needs the source") {
		t.Errorf("no source: got %v", err)
	}
}

// TestAttach adds to a program, and refuses to do so twice.
func TestAttach(t *testing.T) {
	if _, err := attach(tiny(t).Image, []addition{{manifestSection, []byte("{}")}}); err == nil {
		t.Error("a second manifest was attached")
	}
	out, err := attach(tiny(t).Image, []addition{{".x", []byte("some text")}, {".y", nil}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := f.Section(".x").Data(); err != nil || string(data) != "some text" {
		t.Errorf("got %q, %v", data, err)
	}
	if f.Section(".y") == nil || f.Section(manifestSection) == nil || f.Section(".text") == nil {
		t.Error("a section has gone")
	}
	if _, err := attach([]byte("#!/bin/sh\n"), nil); !errors.Is(err, errNotProgram) {
		t.Errorf("a script: got %v, want %v", err, errNotProgram)
	}
}

// TestRunsOnLinux runs an image as a process.
func TestRunsOnLinux(t *testing.T) {
	out, err := exec.Command(tinyFile(t), "--status=3").CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 3 {
		t.Errorf("got %v and %q, want exit status 3", err, out)
	}
}
