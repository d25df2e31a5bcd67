package object_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// git runs stock git in dir and returns what it prints to stdout and stderr.
func git(t testing.TB, dir string, stdin []byte, args ...string) (stdout, stderr []byte, err error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"HOME="+dir, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.Bytes(), errs.Bytes(), err
}

func mustGit(t testing.TB, dir string, stdin []byte, args ...string) []byte {
	t.Helper()
	stdout, stderr, err := git(t, dir, stdin, args...)
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, stderr)
	}
	return stdout
}

func newRepo(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	mustGit(t, dir, nil, "init", "-q", "--bare", "-b", "main")
	return dir
}
