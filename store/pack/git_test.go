package pack_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// git runs stock git in dir and returns what it prints.
func git(t testing.TB, dir string, stdin []byte, args ...string) []byte {
	t.Helper()
	out, err := gitErr(t, dir, stdin, args...)
	if err != nil {
		t.Fatalf("git %q: %v", args, err)
	}
	return out
}

func gitErr(t testing.TB, dir string, stdin []byte, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"HOME="+dir, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("git %q: %s", args, stderr.Bytes())
	}
	return out, err
}

// tempSpool is a spool on disk.
func tempSpool(t testing.TB) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
