package test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDavPython has python3-caldav, on which many programs stand, do all it can.
func TestDavPython(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	judge(t, exec.Command(python, "-c", "import caldav").Run() == nil, "python3-caldav")
	alice := newPerson(t, up(t), "alice")
	script, err := filepath.Abs("testdata/dav/client.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"/", "/calendars/alice/"} {
		cmd := exec.Command(python, script, alice.i.Dav+base, alice.name, alice.password)
		cmd.Env, cmd.Dir = cleanEnv(t.TempDir()), t.TempDir()
		out, err := cmd.CombinedOutput()
		t.Logf("%s:\n%s", base, out)
		if err != nil {
			t.Errorf("%v\n%s", err, alice.i.said())
		}
	}
}
