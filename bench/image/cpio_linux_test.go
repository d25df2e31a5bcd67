package image

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCPIO has the kernel's rules in mind: everything stands at multiples of four bytes, and
// folders before what is in them.
func TestCPIO(t *testing.T) {
	var b bytes.Buffer
	err := writeCPIO(&b, map[string]entry{
		"init":            {mode: regular, data: []byte("hello")},
		"etc/ssl/ca.pem":  {mode: regular, data: []byte("a certificate")},
		"dev/console":     {mode: character, device: 5<<8 | 1},
		"modules/00-a.ko": {mode: regular, data: make([]byte, 1000)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rest := b.Bytes(); len(rest) > 0; {
		field := func(i int) int { return number(t, rest[6+8*i:14+8*i]) }
		if string(rest[:6]) != "070701" {
			t.Fatalf("after %q: got %q, want a head", names, rest[:6])
		}
		head, size := 110+field(11), field(6)
		names = append(names, string(rest[110:head-1]))
		if names[len(names)-1] == "dev/console" && (field(9) != 5 || field(10) != 1) {
			t.Errorf("console: got device %d:%d, want 5:1", field(9), field(10))
		}
		rest = rest[(head+3)&^3+(size+3)&^3:]
	}
	want := "dev dev/console etc etc/ssl etc/ssl/ca.pem init modules modules/00-a.ko TRAILER!!!"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func number(t *testing.T, digits []byte) (n int) {
	t.Helper()
	for _, d := range digits {
		i := strings.IndexByte("0123456789ABCDEF", d)
		if i < 0 {
			t.Fatalf("%q is no number", digits)
		}
		n = n<<4 | i
	}
	return n
}

// TestSourceLines counts a program of four lines that became instructions.
func TestSourceLines(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.org/four\n\ngo 1.22\n",
		"main.go": "package main\n\nfunc main() {\n\tfor i := range 3 {\n\t\tprintln(i)\n\t}\n}\n\nfunc unused() { println(1) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "four", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := map[line]bool{}
	if err := sourceLines(lines, filepath.Join(dir, "four")); err != nil {
		t.Fatal(err)
	}
	var got []int
	for n := range 12 {
		if lines[line{filepath.Join(dir, "main.go"), n}] {
			got = append(got, n)
		}
	}
	if len(got) != 4 || got[0] != 3 || got[3] != 7 {
		t.Errorf("got lines %v, want 3, 4, 5 and 7", got)
	}
}

// FuzzUnit reads heads of units.
func FuzzUnit(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0, 5, 0, 1, 8, 0, 0, 0, 0})
	f.Add([]byte{8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 5, 0, 1, 8, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		size, head, err := unit(b)
		if err == nil && (size < 4 || size > len(b) || head > len(b)) {
			t.Errorf("got a unit of %d bytes with a head of %d, in %d", size, head, len(b))
		}
	})
}
