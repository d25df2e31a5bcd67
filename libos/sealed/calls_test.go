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

// TestDeclared: what a manifest declares is what is allowed, and no more.
func TestDeclared(t *testing.T) {
	m := libos.Manifest{
		Ports: []libos.Port{{Name: "https", Host: "127.0.0.1:8443"}},
		Peers: []libos.Peer{{Address: "git.example.org:443"}},
		State: &libos.Folder{Name: "home"},
		Disks: []libos.Disk{{Name: "data"}, {Name: "site", ReadOnly: true}},
	}
	silent, diskless, alone := m, m, libos.Manifest{}
	silent.Peers, silent.State, silent.Disks = nil, nil, nil
	diskless.State, diskless.Disks = nil, nil
	for _, c := range []struct {
		manifest  libos.Manifest
		card      bool
		has, hasn string
	}{
		{m, true, "readv pwrite64 openat", "socket"},
		{m, false, "socket connect accept4 openat", "readv"},
		{diskless, true, "readv", "socket openat pread64"},
		{silent, false, "socket accept4", "connect openat readv"},
		{alone, true, "futex", "readv socket"},
		{alone, false, "futex", "readv socket"},
	} {
		calls := map[string]bool{}
		for _, r := range sealed.Calls(sealed.Declared(c.manifest, c.card)) {
			calls[r.Call] = true
		}
		for call := range strings.FieldsSeq(c.has) {
			if !calls[call] {
				t.Errorf("card = %v: %s is not allowed", c.card, call)
			}
		}
		for call := range strings.FieldsSeq(c.hasn) {
			if calls[call] {
				t.Errorf("card = %v: %s is allowed", c.card, call)
			}
		}
	}
}
