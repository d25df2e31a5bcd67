package setup

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// TestKnownKeys asks for hosts of a file, and compares with golang.org/x/crypto/ssh/knownhosts.
func TestKnownKeys(t *testing.T) {
	rsaKey, edKey := newKeys(t)
	_, revoked := newKeys(t)
	_, theirs := newKeys(t)
	text := strings.Join([]string{
		"# a comment",
		"git.example.org,192.0.2.1 " + line(rsaKey),
		"*.example.org,!bad.example.org " + line(edKey),
		"[git.example.org]:2222 " + line(edKey),
		knownhosts.HashHostname("hashed.example.net") + " " + line(rsaKey),
		knownhosts.HashHostname("[hashed.example.net]:2222") + " " + line(edKey),
		"gi?.example.com " + line(edKey) + " a comment",
		"*a*b*.example.com " + line(rsaKey),
		"git.example.org " + line(revoked),
		"@revoked * " + line(revoked),
		"@cert-authority * " + line(theirs),
		"Upper.Example.Net " + line(edKey),
	}, "\n") + "\n"
	judge, err := knownhosts.New(file(t, text))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int{
		"git.example.org:22":         2,
		"git.example.org:2222":       1,
		"git.example.org:23":         0,
		"192.0.2.1:22":               1,
		"bad.example.org:22":         0,
		"a.b.example.org:22":         1,
		"example.org:22":             0,
		"hashed.example.net:22":      1,
		"hashed.example.net:2222":    1,
		"git.example.com:22":         1,
		"gitt.example.com:22":        0,
		"xaxxbx.example.com:22":      1,
		"xbxxax.example.com:22":      0,
		"ab.example.com:22":          1,
		"xaxxbx.example.com.org:22":  0,
		"upper.example.net:22":       1,
		"nobody.example.net:22":      0,
		"[2001:db8::1]:22":           0,
		"xaxbb.example.com:22":       1,
		"xaxb.example.comb.org:2222": 0,
	} {
		got, err := knownKeys([]byte(text), address)
		if err != nil || len(got) != want {
			t.Errorf("%s: got %d keys, %v, want %d", address, len(got), err, want)
		}
		for _, key := range got {
			if err := judge(address, &net.TCPAddr{IP: net.IPv4zero}, key); err != nil && address != "upper.example.net:22" {
				t.Errorf("%s: knownhosts does not know %s: %v", address, ssh.FingerprintSHA256(key), err)
			}
		}
		unknown, ok := errors.AsType[*knownhosts.KeyError](judge(address, &net.TCPAddr{IP: net.IPv4zero}, theirs))
		if ok && len(unknown.Want) > 0 && len(got) == 0 {
			t.Errorf("%s: got no key, knownhosts has %d", address, len(unknown.Want))
		}
	}
	if _, err := knownKeys([]byte("host ssh-ed25519 !!!\n"), "host:22"); err == nil {
		t.Error("a line that is none: got no error")
	}
}

func FuzzKnownKeys(f *testing.F) {
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGGnMvxlJGvHPOcXaeqYpyOpMyOYmqCRyVkmFRlYGxLg"
	f.Add("*.example.org,!bad.example.org "+key+"\n", "git.example.org:22")
	f.Add(fmt.Sprintf("%s %s\n@revoked * %s\n", knownhosts.HashHostname("a"), key, key), "a:22")
	f.Add("|1|x|y "+key, "[::1]:2222")
	f.Fuzz(func(t *testing.T, text, address string) {
		_, _ = knownKeys([]byte(text), address)
	})
}

func FuzzMatchHost(f *testing.F) {
	f.Add("*a*b?c*", "xaxxbxc")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 12 {
			return
		}
		if got, want := matchHost(pattern, name), matchPlainly(pattern, name); got != want {
			t.Errorf("%q, %q: got %v, want %v", pattern, name, got, want)
		}
	})
}

// matchPlainly is matchHost in the words of its definition.
func matchPlainly(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return matchPlainly(pattern[1:], name) || name != "" && matchPlainly(pattern, name[1:])
	}
	return name != "" && (pattern[0] == '?' || pattern[0] == name[0]) && matchPlainly(pattern[1:], name[1:])
}
