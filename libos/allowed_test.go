package libos

import (
	"slices"
	"strings"
	"testing"
)

func TestManifestLimits(t *testing.T) {
	m := sample
	m.Peers = []Peer{{Address: "*:25", Why: "mail"}, {Arg: "remote", Why: "state"}, {Arg: "update"}, {Arg: "directory"}}
	m.Args = append(slices.Clone(m.Args), Arg{Name: "remote"}, Arg{Name: "update"}, Arg{Name: "directory", Default: "https://acme.example/dir"})
	for _, c := range []struct {
		args         string
		own          bool
		listen, dial string
	}{
		{"", false, "tcp:8080 tcp:0", "*:25 acme.example:443"},
		{"", true, "tcp:80", "*:25 acme.example:443"},
		{"--http :81 --dns :53", true, "tcp:81 udp:53", "*:25 acme.example:443"},
		{"--remote https://ann:secret@git.example.org/a", true, "tcp:80", "*:25 git.example.org:443 acme.example:443"},
		{"--remote http://[2001:db8::1]:3000/a", true, "tcp:80", "*:25 [2001:db8::1]:3000 acme.example:443"},
		{"--remote ssh://git@git.example.org/a", true, "tcp:80", "*:25 git.example.org:22 acme.example:443"},
		{"--remote git@git.example.org:a/b.git", true, "tcp:80", "*:25 git.example.org:22 acme.example:443"},
		{"--remote git://git.example.org/a", true, "tcp:80", "*:25 git.example.org:9418 acme.example:443"},
		{"--update 192.0.2.1:53,example.org,key,file", true, "tcp:80", "*:25 192.0.2.1:53 acme.example:443"},
		{"--remote nonsense", true, "tcp:80", "*:25 acme.example:443"},
	} {
		a, err := m.Parse(strings.Fields(c.args), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Limits(a, c.own)
		if listen := strings.Join(got.Listen, " "); listen != c.listen {
			t.Errorf("%s: listen on %q, want %q", c.args, listen, c.listen)
		}
		if dial := strings.Join(got.Dial, " "); dial != c.dial {
			t.Errorf("%s: dial %q, want %q", c.args, dial, c.dial)
		}
	}
}

func FuzzPeerAddress(f *testing.F) {
	for _, s := range []string{"https://ann:secret@git.example.org/a", "git@git.example.org:a/b.git", "192.0.2.1:53,example.org", "http://[::1", "@:", "a@:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := peerAddress(value); strings.HasPrefix(got, "*") && !strings.Contains(value, "*") {
			t.Errorf("%q names %q, which is everybody", value, got)
		}
	})
}
