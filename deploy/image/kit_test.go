package image

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// tinyOnce builds the image of testdata/tiny once for all tests.
var tinyOnce = sync.OnceValues(func() (*Built, error) {
	ctx, cancel := testContext()
	defer cancel()
	return Build(ctx, Options{Program: "./testdata/tiny"})
})

func tiny(t testing.TB) *Built {
	t.Helper()
	b, err := tinyOnce()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tinyFile is that image in a file.
func tinyFile(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tiny.img")
	if err := os.WriteFile(name, tiny(t).Image, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func inspectTiny(t testing.TB) *Info {
	t.Helper()
	i, err := Inspect(bytes.NewReader(tiny(t).Image), int64(len(tiny(t).Image)))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// judge is the path of a program that has to be there where CAIRN_CI is set.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CAIRN_CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// ask runs a judge and returns what it prints.
func ask(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(judge(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
