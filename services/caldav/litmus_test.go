package caldav

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLitmus has the WebDAV suite of Joe Orton judge /files/.
func TestLitmus(t *testing.T) {
	litmus, err := exec.LookPath("litmus")
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	h := open(t)
	cmd := exec.Command(litmus, "-k", h.server.URL+"/files/alice/", "alice", h.secrets["alice"])
	cmd.Dir = t.TempDir() // it writes debug.log there
	cmd.Env = append(os.Environ(), "TESTS=basic copymove props locks http")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	for _, suite := range []string{"basic", "copymove", "props", "locks", "http"} {
		if !strings.Contains(string(out), "summary for `"+suite+"'") {
			t.Errorf("%s did not run to its end", suite)
		}
	}
	if strings.Contains(string(out), "FAIL") || strings.Contains(string(out), "WARNING") {
		t.Error("litmus has complaints")
	}
}
