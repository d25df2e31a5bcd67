package store_test

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
	"cairn/store/object"
)

func newRepo() *store.Repo { return store.New(mem.New(), store.Options{}) }

func change(message string) store.Change {
	return store.Change{Author: object.Signature{Name: "Tester", Email: "tester@localhost"}, Message: message}
}

// put writes files, and removes those whose content is "-".
func put(t testing.TB, b *store.Branch, files ...string) store.Hash {
	t.Helper()
	err := b.Update(context.Background(), change("put "+files[0]), func(tx *store.Tx) error {
		for i := 0; i < len(files); i += 2 {
			var err error
			if files[i+1] == "-" {
				err = tx.Remove(files[i])
			} else {
				err = tx.Put(files[i], []byte(files[i+1]))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tip(t, b)
}

func tree(t testing.TB, b *store.Branch) *store.Tree {
	t.Helper()
	tree, err := b.Tree(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func tip(t testing.TB, b *store.Branch) store.Hash {
	t.Helper()
	rev, _ := tree(t, b).Commit()
	return rev.Hash
}

// show lists the files of a tree with their contents.
func show(t testing.TB, tree *store.Tree) string {
	t.Helper()
	files := map[string]string{}
	for d, err := range new(store.Tree).Diff(context.Background(), tree) {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := tree.Blob(d.Path)
		if err != nil {
			t.Fatal(err)
		}
		files[d.Path] = string(data)
	}
	return showFiles(files)
}

func showFiles(files map[string]string) string {
	var out strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&out, "%s=%s ", path, files[path])
	}
	return strings.TrimSpace(out.String())
}

// A gitRepo is a repository on disk that stock git looks at too.
type gitRepo struct {
	*store.Repo
	path string
	env  []string
}

func newGitRepo(t testing.TB, o store.Options) *gitRepo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		t.Fatal(err)
	}
	return openGitRepo(t, path, o)
}

func openGitRepo(t testing.TB, path string, o store.Options) *gitRepo {
	t.Helper()
	dir, err := gitdir.Open(path, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return &gitRepo{store.New(dir, o), path, []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@localhost"}}
}

// git runs stock git on the repository and returns its output.
func (r *gitRepo) git(t testing.TB, input string, args ...string) string {
	t.Helper()
	out, err := r.tryGit(input, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r *gitRepo) tryGit(input string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.path, r.env, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
