package managesieve

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSieveConnect has Debian's sieve-connect keep scripts: it is a client that nobody here has written.
func TestSieveConnect(t *testing.T) {
	path, err := exec.LookPath("sieve-connect")
	if err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal("sieve-connect is missing: install sieve-connect")
		}
		t.Skip("sieve-connect is missing")
	}
	h := newHouse(t, nil)
	_, port, err := net.SplitHostPort(h.addr)
	check(t, err)
	dir := t.TempDir()
	put := func(name, content string) {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	put("password", alicePassword+"\n")
	put("good.sieve", "require \"fileinto\";\nfileinto \"Archive\"; # ü\n")
	put("bad.sieve", "keep\n")
	run := func(args ...string) (string, error) {
		t.Helper()
		cmd := exec.Command(path, append([]string{"--server", "127.0.0.1", "--port", port, "--user", "alice", "--authmech", "PLAIN",
			"--passwordfd", "0", "--notlsverify"}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
		cmd.Stdin = strings.NewReader(alicePassword + "\n")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	ok := func(want string, args ...string) {
		t.Helper()
		out, err := run(args...)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("%q: %v, got\n%s\nwant %q", args, err, out, want)
		}
	}
	ok("", "--localsieve", "good.sieve", "--remotesieve", "rules", "--upload")
	ok("", "--remotesieve", "rules", "--activate")
	ok(`"rules" ACTIVE`, "--list")
	ok("", "--localsieve", "back.sieve", "--remotesieve", "rules", "--download")
	back, err := os.ReadFile(filepath.Join(dir, "back.sieve"))
	good, _ := os.ReadFile(filepath.Join(dir, "good.sieve"))
	if err != nil || strings.TrimSpace(string(back)) != strings.TrimSpace(string(good)) {
		t.Errorf("it comes back as %q, %v", back, err)
	}
	if out, err := run("--localsieve", "bad.sieve", "--remotesieve", "bad", "--upload"); err == nil || !strings.Contains(out, "line 2, column 1") {
		t.Errorf("a mistake: %v, %s", err, out)
	}
	ok("", "--deactivate")
	ok("", "--remotesieve", "rules", "--delete")
	list, err := h.Shelf.List(t.Context(), "alice")
	if err != nil || len(list) > 0 {
		t.Errorf("at the end: %v, %v", list, err)
	}
}
