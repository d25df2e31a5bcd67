package git

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Clones race on one branch: each commit that a push acknowledged is there.
func TestRace(t *testing.T) {
	k := newKitOn(t, newDisk(t, filepath.Join(t.TempDir(), "r.git")))
	k.pushed(t, "alice", "club", "main", "start", "start")
	const clones, rounds = 5, 3
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged := map[string]bool{}
	for i := range clones {
		w := newWork(t)
		w.git("pull", "-q", k.url("bob", "club"), "main")
		wg.Go(func() {
			for r := range rounds {
				hash := w.commit(fmt.Sprintf("from-%d/%d", i, r), "x")
				for tries := 0; ; tries++ {
					out, err := w.try("push", k.url("alice", "club"), "HEAD:main")
					if err == nil {
						break
					}
					if tries == 50 {
						t.Errorf("clone %d: %v\n%s", i, err, out)
						return
					}
					if out, err := w.try("pull", "-q", "--rebase", k.url("bob", "club"), "main"); err != nil {
						t.Errorf("clone %d: %v\n%s", i, err, out)
						return
					}
					hash = w.rev("HEAD")
				}
				mu.Lock()
				acknowledged[hash] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	c := newWork(t)
	c.git("pull", "-q", k.url("bob", "club"), "main")
	log := c.git("log", "--format=%H")
	for hash := range acknowledged {
		if !strings.Contains(log, hash) {
			t.Errorf("commit %s was acknowledged and is not in main", hash)
		}
	}
	if got, want := len(strings.Fields(log)), 1+clones*rounds; got != want {
		t.Errorf("main has %d commits, want %d", got, want)
	}
}
