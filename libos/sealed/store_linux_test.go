//go:build amd64

package sealed_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/libos/sealed"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/storetest"
)

// suiteRole runs tests in a process that is sealed with a folder, the one in which
// tests make theirs.
const suiteRole = "tests in a folder"

// sealSuite seals the process if it plays that role.
func sealSuite() error {
	if os.Getenv(roleVariable) != suiteRole {
		return nil
	}
	return sealed.Seal(sealed.Attached{Consoles: outputs, Folder: os.Getenv("TMPDIR")})
}

// TestStore runs what every backend of the store must pass, and the maintenance of a
// repository, in a sealed process.
func TestStore(t *testing.T) {
	if os.Getenv(roleVariable) == suiteRole {
		t.Run("backend", func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) store.Backend { return newRepository(t, t.TempDir()) })
		})
		t.Run("maintenance", testMaintenance)
		return
	}
	dir := t.TempDir()
	openUp(t, dir)
	folder := filepath.Join(dir, "tests")
	cmd := process(t, suiteRole, "-test.run=^TestStore$", "-test.v")
	cmd.Env = append(cmd.Env, "TMPDIR="+folder)
	out := succeeds(t, cmd)
	for _, want := range []string{"--- PASS: TestStore/backend", "--- PASS: TestStore/maintenance"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func newRepository(t *testing.T, folder string) *gitdir.Dir {
	t.Helper()
	name := filepath.Join(folder, "repo.git")
	if err := gitdir.Init(name); err != nil {
		t.Fatal(err)
	}
	dir, err := gitdir.Open(name, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// testMaintenance makes packs until they are merged, in the background and when asked, and
// reads all of it from a repository that is opened anew.
func testMaintenance(t *testing.T) {
	folder := t.TempDir()
	dir := newRepository(t, folder)
	// Another's garbage collection, that this process asks the kernel for.
	if err := os.WriteFile(filepath.Join(folder, "repo.git", "gc.pid"), fmt.Appendf(nil, "%d %s", 1<<22, hostname(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	const commits = 200
	branch := store.New(dir, store.Options{}).Branch("main")
	for i := range commits {
		err := branch.Update(t.Context(), store.Change{Message: "more"}, func(tx *store.Tx) error {
			return tx.Put(fmt.Sprintf("%d/%d", i%7, i), []byte(strings.Repeat(fmt.Sprint(i), 300)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(folder, "repo.git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) == 0 || len(packs) > commits/2 {
		t.Errorf("%d packs (%v) after %d commits: they are not merged", len(packs), err, commits)
	}
	again, err := gitdir.Open(filepath.Join(folder, "repo.git"), gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	readAll(t, store.New(again, store.Options{}).Branch("main"), commits)
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func readAll(t *testing.T, branch *store.Branch, commits int) {
	t.Helper()
	tree, err := branch.Tree(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range commits {
		name := fmt.Sprintf("%d/%d", i%7, i)
		data, err := tree.ReadFile(name)
		if err != nil || string(data) != strings.Repeat(fmt.Sprint(i), 300) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
