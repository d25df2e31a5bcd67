package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestPack(t *testing.T) {
	t.Chdir(t.TempDir())
	up, err := filepath.Abs("../up")
	if err != nil {
		t.Fatal(err)
	}
	args, files, err := pack(shop, []word{{"name", "x"}, {"key", "/etc//shop/key"}, {"trust", "./a.pub"}, {"trust", "b/../a.pub"}, {"trust", "../up"}, {"key", ""}})
	if err != nil {
		t.Fatal(err)
	}
	wantArgs := []word{{"name", "x"}, {"key", "/etc/shop/key"}, {"trust", "a.pub"}, {"trust", "a.pub"}, {"trust", up}, {"key", ""}}
	wantFiles := []packed{{"/etc/shop/key", "etc/shop/key"}, {"a.pub", "a.pub"}, {up, strings.TrimPrefix(up, "/")}}
	if !reflect.DeepEqual(args, wantArgs) || !reflect.DeepEqual(files, wantFiles) {
		t.Errorf("got %v and %v, want %v and %v", args, files, wantArgs, wantFiles)
	}
	if _, files, err := pack(shop, []word{{"key", "etc/key"}, {"trust", "/etc/key"}}); err == nil {
		t.Errorf("two files became %v", files)
	}
}

func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	name, big := filepath.Join(dir, "key"), filepath.Join(dir, "big")
	if err := os.WriteFile(name, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(big, make([]byte, maxFiles), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeFiles(&b, []packed{{name, "etc/key"}}); err != nil {
		t.Fatal(err)
	}
	if b.Len()%512 != 0 {
		t.Errorf("got %d bytes, which are no whole sectors", b.Len())
	}
	r := tar.NewReader(&b)
	h, err := r.Next()
	if err != nil || h.Name != "etc/key" || h.Typeflag != tar.TypeReg {
		t.Fatalf("got %+v, %v", h, err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "secret\n" {
		t.Errorf("got %q, %v", data, err)
	}
	if err := writeFiles(io.Discard, []packed{{name, "a"}, {big, "b"}}); err == nil {
		t.Error("more was packed than a service reads")
	}
	if err := writeFiles(io.Discard, []packed{{filepath.Join(dir, "none"), "a"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}
