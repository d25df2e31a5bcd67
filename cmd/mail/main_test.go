package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestAlone makes sure that nothing is linked in that this command does not need.
func TestAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	for _, room := range linked {
		switch room {
		case "cairn/services/unipi", "cairn/services/git", "cairn/services/caldav", "cairn/store/mirror", "os/exec", "net/http/pprof":
			t.Errorf("%s is linked in", room)
		}
	}
	if len(linked) < 100 {
		t.Errorf("go list names %d packages", len(linked))
	}
}
