package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cairn/internal/githost"
)

// TestVisit runs commands on a repository at a host, from a machine that has
// nothing but its address and the seed.
func TestVisit(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	i := upAway(t, h, "")
	visit := func(args ...string) (string, error) {
		cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
		cmd.Env = []string{"CAIRN_REMOTE=" + h.GitURL(), "CAIRN_SEED=" + i.seed, "HOME=/nonexistent"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := visit("user", "add", "alice")
	if err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	password := strings.Fields(out[strings.Index(out, "Password")+len("Password"):])[0]
	if out, err := visit("site", "add", "--owner", "alice", "diary"); err != nil {
		t.Fatalf("site add: %v\n%s", err, out)
	}
	// Whoever is up learns of both.
	work := filepath.Join(t.TempDir(), "work")
	git(t, filepath.Dir(work), "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, "index.html"), []byte("dear diary"))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", "first")
	err = wait("a push by the new user to the new site", func() error {
		_, err := tryGit(work, "push", "-q", strings.Replace(i.Git, "://", "://alice:"+password+"@", 1)+"/diary", "HEAD:main")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := visit("site", "history", "diary"); err != nil || !strings.Contains(out, "first") {
		t.Errorf("site history: %v\n%s", err, out)
	}
	i.seed = ""
	if out, err := visit("user", "list"); err == nil || !strings.Contains(out, "CAIRN_SEED") {
		t.Errorf("without a seed: %v\n%s", err, out)
	}
}
