package test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDavLitmus has litmus judge the built program, in the clear on loopback and over
// TLS.
func TestDavLitmus(t *testing.T) {
	litmus := program(t, "litmus")
	for name, args := range map[string][]string{"http": nil, "https": {"--tls", "seed"}} {
		t.Run(name, func(t *testing.T) {
			alice := newPerson(t, up(t, args...), "alice")
			cmd := exec.Command(litmus, "-k", alice.i.Dav+"/files/alice/", alice.name, alice.password)
			cmd.Env, cmd.Dir = append(cleanEnv(t.TempDir()), "TESTS=basic copymove props locks http"), t.TempDir()
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil || strings.Count(string(out), "summary for") != 5 || strings.Contains(string(out), "FAIL") {
				t.Errorf("litmus ends with %v\n%s", err, alice.i.said())
			}
		})
	}
}
