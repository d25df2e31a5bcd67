//go:build unix

package unix

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
)

// write makes a file.
func write(t *testing.T, content []byte) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBlock(t *testing.T) {
	libostest.TestBlock(t, func(t *testing.T, content []byte, readOnly bool) libos.Block {
		b, err := OpenBlock(write(t, content), readOnly)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestOpenBlockRefuses(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, pipe, os.DevNull, filepath.Join(dir, "none")} {
		for _, readOnly := range []bool{true, false} {
			if b, err := OpenBlock(name, readOnly); err == nil {
				t.Errorf("%s was opened as a disk", name)
				b.Close()
			}
		}
	}
}

// TestBlockShrinks takes a file's end away while it is a disk.
func TestBlockShrinks(t *testing.T) {
	name := write(t, make([]byte, 8192))
	b, err := OpenBlock(name, true)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := os.Truncate(name, 4096); err != nil {
		t.Fatal(err)
	}
	if n, err := b.ReadAt(make([]byte, 8192), 0); err == nil {
		t.Errorf("got %d bytes, want an error", n)
	}
}
