package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/internal/githost"
)

// deep is a stream for git fast-import: many commits, each with a file of its own.
func deep(commits int) []byte {
	var b bytes.Buffer
	for i := range commits {
		page := strings.Repeat(fmt.Sprintf("page %d ", i), 500)
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter a <a@localhost> %d +0000\ndata 2\nc\nM 100644 inline f%d.html\ndata %d\n%s\n",
			1700000000+i, i%200, len(page), page)
	}
	return b.Bytes()
}

// TestBackupAway keeps a backup of a repository that is somewhere else and whose history
// is there only.
func TestBackupAway(t *testing.T) {
	main, backup := githost.New(t, githost.PlainHTTP), githost.New(t, githost.Cairn)
	dir := t.TempDir()
	first := upAway(t, main, "")
	work := filepath.Join(dir, "work")
	page(t, work, "one", first.push(), "draft")
	imports := exec.Command("git", "-C", work, "fast-import", "--quiet", "--force")
	imports.Stdin = bytes.NewReader(deep(400))
	if out, err := imports.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	git(t, work, "push", "-q", first.push()+"/site", "main:main")
	if err := first.stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	// One that is new has the newest commits only.
	second := upAway(t, main, first.seed, "--remote-memory", "8")
	away := func(args ...string) error {
		cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
		cmd.Env = append(os.Environ(), "CAIRN_REMOTE="+main.GitURL(), "CAIRN_SEED="+first.seed)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("cairn %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := away("backup", "add", "copy", backup.GitURL()); err != nil {
		t.Fatal(err)
	}
	if err := wait("the backup", func() error { return away("backup", "verify") }); err != nil {
		t.Errorf("%v\n%s", err, second.said())
	}
	if want, got := main.Git("rev-list", "--count", "--all"), backup.Git("rev-list", "--count", "--all"); got != want {
		t.Errorf("the backup has %s commits, want %s", got, want)
	}
}
