package sealed_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/libos"
	"cairn/libos/sealed"
)

var update = flag.Bool("update", false, "write what is printed to testdata")

// What may be attached. Descriptors are not open yet.
var (
	consoles = []sealed.Descriptor{{Name: "standard output", FD: sealed.Unknown}, {Name: "standard error", FD: sealed.Unknown}}
	card     = []sealed.Descriptor{{Name: "network card", FD: sealed.Unknown}}
	disks    = []sealed.Disk{
		{Descriptor: sealed.Descriptor{Name: "disk data", FD: sealed.Unknown}},
		{Descriptor: sealed.Descriptor{Name: "disk site", FD: sealed.Unknown}, ReadOnly: true},
	}
	server = &libos.Limits{Listen: []string{"tcp:443", "tcp:80"}}
	both   = &libos.Limits{Listen: []string{"tcp:443"}, Dial: []string{"git.example.org:443"}}
)

var combinations = []struct {
	name string
	with sealed.Attached
}{
	{"nothing", sealed.Attached{Consoles: consoles}},
	{"card", sealed.Attached{Consoles: consoles, Links: card}},
	{"card-disks", sealed.Attached{Consoles: consoles, Links: card, Blocks: disks}},
	{"card-folder", sealed.Attached{Consoles: consoles, Links: card, Folder: "/srv/state"}},
	{"host-server", sealed.Attached{Consoles: consoles, Host: server}},
	{"host", sealed.Attached{Consoles: consoles, Host: both}},
	{"host-folder", sealed.Attached{Consoles: consoles, Host: both, Folder: "/srv/state"}},
}

// TestCalls holds what is allowed to what testdata says, where a change of it can be
// looked at.
func TestCalls(t *testing.T) {
	for _, c := range combinations {
		var b strings.Builder
		calls := map[string]bool{}
		for _, r := range sealed.Calls(c.with) {
			calls[r.Call] = true
			fmt.Fprintln(&b, r)
		}
		fmt.Fprintf(&b, "%d system calls\n", len(calls))
		name := filepath.Join("testdata", c.name+".calls")
		if *update {
			if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
		}
	}
}
