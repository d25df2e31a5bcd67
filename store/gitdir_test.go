package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"cairn/store"
)

// TestBesideGit has stock git commit to the same branches while updates run,
// and checks that nobody's change is lost and that the repository is sound.
func TestBesideGit(t *testing.T) {
	r := newGitRepo(t, store.Options{})
	names := []string{"a", "b"}
	for _, name := range names {
		put(t, r.Branch(name), "start", "1")
	}
	const rounds = 15
	var wg sync.WaitGroup
	for _, name := range names {
		for w := range 4 {
			wg.Go(func() {
				for i := range rounds {
					err := store.ErrTemporary
					for errors.Is(err, store.ErrTemporary) { // git holds a lock for long
						err = r.Branch(name).Update(context.Background(), change("update"), write(fmt.Sprintf("ours/%d/%d", w, i)))
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() { commitWithGit(t, r, name, rounds) })
	}
	wg.Wait()
	for _, name := range names {
		files := strings.Fields(r.git(t, "", "ls-tree", "-r", "--name-only", name))
		if want := 1 + 4*rounds + rounds; len(files) != want {
			t.Errorf("%s: got %d files, want %d", name, len(files), want)
		}
		commits := r.git(t, "", "rev-list", "--count", name)
		if want := fmt.Sprint(1 + 4*rounds + rounds); commits != want {
			t.Errorf("%s: got %s commits, want %s", name, commits, want)
		}
	}
	r.git(t, "", "fsck", "--strict", "--full")
}

// commitWithGit adds files to a branch, one commit each, and tries again when
// it was not first.
func commitWithGit(t *testing.T, r *gitRepo, name string, rounds int) {
	for i := 0; i < rounds; {
		old, err := r.tryGit("", "rev-parse", name)
		if err != nil {
			t.Error(err)
			return
		}
		commit := fmt.Sprintf("commit refs/heads/tmp-%s\ncommitter C <c@localhost> 1700000000 +0000\ndata 1\nx\nfrom %s\nM 100644 inline git/%d\ndata 1\nx\n\n", name, old, i)
		if out, err := r.tryGit(commit, "fast-import", "--quiet", "--force"); err != nil {
			t.Errorf("git fast-import: %v\n%s", err, out)
			return
		}
		if _, err := r.tryGit("", "update-ref", "refs/heads/"+name, "refs/heads/tmp-"+name, old); err == nil {
			i++
		}
	}
}
