package gitwire

import (
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
)

// TestCloneWhileWriting clones and fetches while commits arrive: each clone is
// whole, and newer than the one before.
func TestCloneWhileWriting(t *testing.T) {
	for name, b := range map[string]store.Backend{"mem": mem.New(), "gitdir": newDisk(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloneWhile(t, b, nil)
		})
	}
}

// TestCloneWhileCollecting does the same while git gc repacks the repository and
// deletes the packs that were open.
func TestCloneWhileCollecting(t *testing.T) {
	t.Parallel()
	g := newGitRepo(t)
	g.dir = filepath.Join(t.TempDir(), "r.git")
	if err := gitdir.Init(g.dir); err != nil {
		t.Fatal(err)
	}
	d, err := gitdir.Open(g.dir, gitdir.Options{NoMaintenance: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	cloneWhile(t, d, func() { g.git(t, "gc", "-q", "--prune=now") })
	g.git(t, "fsck", "--strict")
}

// cloneWhile commits, calls meanwhile (unless nil) over and over and clones, all at
// once.
func cloneWhile(t *testing.T, b store.Backend, meanwhile func()) {
	clones, rounds := 2, 3
	if long() {
		clones, rounds = 4, 15
	}
	const ref = "refs/heads/main"
	tip := commitFiles(t, b, ref, nil, "file", "0")
	for i := range 50 {
		tip = commitFiles(t, b, ref, []store.Hash{tip}, "before", strconv.Itoa(i), "file", "0")
	}
	url := serveView(t, showAll(b))
	stop := make(chan struct{})
	var work, readers sync.WaitGroup
	work.Go(func() {
		for i := range 100 * rounds {
			tip = commitFiles(t, b, ref, []store.Hash{tip}, "after", strconv.Itoa(i), "file", strconv.Itoa(i))
		}
	})
	work.Go(func() {
		for meanwhile != nil && !t.Failed() {
			select {
			case <-stop:
				return
			default:
				meanwhile()
			}
		}
	})
	for range clones {
		readers.Go(func() {
			clone := newGitRepo(t)
			clone.git(t, "clone", "-q", "--bare", url, clone.dir)
			for range rounds {
				before := clone.rev(t, "main")
				clone.git(t, "fetch", "-q", "origin", "main:main")
				clone.git(t, "merge-base", "--is-ancestor", before, "main")
			}
			clone.git(t, "fsck", "--strict")
		})
	}
	readers.Wait()
	close(stop)
	work.Wait()
}
