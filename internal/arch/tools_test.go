package arch

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

func TestGofmt(t *testing.T) {
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		out, err := format.Source(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(src, out) {
			t.Errorf("%s: run gofmt -w on it", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVet and TestStaticcheck run the tools over the whole module. go test
// runs a few vet checks by itself; this is all of them, tests included.
func TestVet(t *testing.T) { run(t, "go", "vet", "./...") }

func TestStaticcheck(t *testing.T) { run(t, "go", "tool", "staticcheck", "./...") }

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	touchAll(t)
	cmd := exec.Command(name, args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as images are built; libos/sealed is there only then
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// touchAll stats every Go file, so that go test's cache knows what a
// tool that runs outside of its sight has read.
func touchAll(t *testing.T) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".go" {
			_, err = os.ReadFile("../../" + name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
