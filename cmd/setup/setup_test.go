package setup

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"cairn/libos"
	"cairn/store/gitdir"
)

var manifest = libos.Manifest{Args: slices.Concat(SeedArgs, RemoteArgs, TLSArgs), Ports: []libos.Port{HTTPS, Metrics}}

func parse(t *testing.T, args ...string) libos.Env {
	t.Helper()
	a, err := manifest.Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return libos.Env{Args: a, Files: os.ReadFile, Net: libos.Limit(nil, libos.Limits{}), Log: slog.New(slog.DiscardHandler)}
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSeed(t *testing.T) {
	want := Seed{1, 2, 3}
	for _, args := range [][]string{
		{"--seed", want.String()},
		{"--seed-file", file(t, want.String()+"\n")},
	} {
		if got, have, err := SeedGiven(parse(t, args...)); got != want || !have || err != nil {
			t.Errorf("%s: got %v, %v, %v", args[0], got, have, err)
		}
	}
	if _, have, err := SeedGiven(parse(t)); have || err != nil {
		t.Errorf("without: got %v, %v", have, err)
	}
	for _, text := range []string{"x", want.String()[2:], want.String() + "00"} {
		if _, _, err := SeedGiven(parse(t, "--seed", text)); !errors.Is(err, errSeed) {
			t.Errorf("%q: got %v, want %v", text, err, errSeed)
		}
	}
}

func newKeys(t *testing.T) (rsaKey, edKey ssh.PublicKey) {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if rsaKey, err = ssh.NewPublicKey(&r.PublicKey); err != nil {
		t.Fatal(err)
	}
	if edKey, err = ssh.NewPublicKey(e); err != nil {
		t.Fatal(err)
	}
	return rsaKey, edKey
}

func line(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }

// TestHostKeys shows keys to those that are known in either way.
func TestHostKeys(t *testing.T) {
	rsaKey, edKey := newKeys(t)
	_, stranger := newKeys(t)
	const address = "git.example.org:22"
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}
	hosts := file(t, knownhosts.Line([]string{address}, rsaKey)+"\n"+knownhosts.Line([]string{address}, edKey)+"\n")
	for _, args := range [][]string{
		{"--remote", "x", "--remote-host-key", line(rsaKey), "--remote-host-key", line(edKey) + " comment"},
		{"--remote", "x", "--remote-known-hosts", hosts},
	} {
		check, algorithms, err := hostKeys(parse(t, args...), address)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoED25519}; !slices.Equal(algorithms, want) {
			t.Errorf("%s: algorithms %q, want %q", args[2], algorithms, want)
		}
		for _, key := range []ssh.PublicKey{rsaKey, edKey} {
			if err := check(address, from, key); err != nil {
				t.Errorf("%s: a known key: %v", args[2], err)
			}
		}
		if err := check(address, from, stranger); err == nil {
			t.Errorf("%s: a stranger's key was accepted", args[2])
		}
	}
	for name, args := range map[string][]string{
		"nothing known":        {},
		"not a key":            {"--remote", "x", "--remote-host-key", "AAAA"},
		"no file":              {"--remote", "x", "--remote-known-hosts", "/nonexistent"},
		"a file without it":    {"--remote", "x", "--remote-known-hosts", file(t, knownhosts.Line([]string{"other.example"}, edKey)+"\n")},
		"a file with no lines": {"--remote", "x", "--remote-known-hosts", file(t, "")},
	} {
		if _, _, err := hostKeys(parse(t, args...), address); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestSSHAddress(t *testing.T) {
	for raw, want := range map[string]string{
		"ssh://git@git.example.org/a":        "git.example.org:22",
		"ssh://git@git.example.org:2222/a":   "git.example.org:2222",
		"git@git.example.org:a/b.git":        "git.example.org:22",
		"git.example.org:a":                  "git.example.org:22",
		"ssh://[2001:db8::1]:2222/srv/r.git": "[2001:db8::1]:2222",
	} {
		if got := sshAddress(raw); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}

// TestPassword makes sure that a password goes to whom the URL names, and stays out of
// what is printed.
func TestPassword(t *testing.T) {
	for remote, want := range map[string]string{
		"https://ann@git.example.org/r": "https://ann:secret@git.example.org/r",
		"https://git.example.org/r":     "https://git:secret@git.example.org/r",
	} {
		env := parse(t, "--remote", remote, "--remote-password-file", file(t, "secret\n"))
		c, got, err := Client(env, nil)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", remote, got, err, want)
			continue
		}
		r, err := c.Remote(got)
		if err != nil || strings.Contains(r.String(), "secret") {
			t.Errorf("%s is shown as %v, %v", remote, r, err)
		}
	}
	env := parse(t, "--remote", "https://git.example.org/r", "--remote-token-file", file(t, ""))
	if _, _, err := Client(env, nil); err == nil {
		t.Error("an empty token: got no error")
	}
}

// TestOwnRepository makes sure that a repository which is not one of copies is never
// taken for one.
func TestOwnRepository(t *testing.T) {
	env := libos.Env{Log: slog.New(slog.DiscardHandler)}
	name := filepath.Join(t.TempDir(), "r.git")
	for range 2 { // made, and opened again
		folder, err := openFolder(name, env)
		if err != nil {
			t.Fatal(err)
		}
		if err := folder.Close(); err != nil {
			t.Fatal(err)
		}
	}
	own := filepath.Join(t.TempDir(), "own.git")
	if err := gitdir.Init(own); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(own, env); err == nil {
		t.Error("a repository of its own was taken for copies")
	}
}

func TestTLSArguments(t *testing.T) {
	seed := Seed{1}
	for _, c := range []struct {
		args    []string
		seed    *Seed
		refused bool
		tls     bool
	}{
		{nil, nil, false, false},
		{[]string{"--tls", "seed"}, &seed, false, true},
		{[]string{"--tls", "seed"}, nil, true, false},
		{[]string{"--tls", "yes"}, &seed, true, false},
		{[]string{"--acme"}, nil, true, false},
		{[]string{"--acme", "--acme-dns", "ns.example.org:53"}, &seed, true, false},
		{[]string{"--acme", "--acme-dns", "ns.example.org:53,key"}, &seed, true, false},
		{[]string{"--acme", "--acme-dns", "ns.example.org:53,key", "--acme-dns-secret", "/nonexistent"}, &seed, true, false},
		{[]string{"--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"}, &seed, true, false},
	} {
		env := parse(t, c.args...)
		env.Manifest = manifest
		got, err := OpenTLS(t.Context(), env, TLSOptions{Seed: c.seed, Local: []string{"localhost"}})
		if (got != nil) != c.tls || (err != nil) != c.refused {
			t.Errorf("%q: got %v, %v, want TLS %v, refused %v", c.args, got, err, c.tls, c.refused)
		}
	}
}

func TestOwnHosts(t *testing.T) {
	if got := OwnHosts(libos.Env{}); got != nil {
		t.Errorf("on the host's network: got %q", got)
	}
	got := OwnHosts(libos.Env{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}})
	if want := []string{"localhost", "127.0.0.1", "[::1]", "192.0.2.7", "[2001:db8::7]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &Web{Listener: l, tls: &TLS{}}
	for host, want := range map[string]string{
		"example.org":        "https://example.org:" + port + "/a?b=c",
		"example.org:80":     "https://example.org:" + port + "/a?b=c",
		"[2001:db8::1]:80":   "https://[2001:db8::1]:" + port + "/a?b=c",
		"[2001:db8::1]":      "https://[2001:db8::1]:" + port + "/a?b=c",
		"draft.example.org.": "https://draft.example.org.:" + port + "/a?b=c",
	} {
		r := httptest.NewRequest(http.MethodGet, "/a?b=c", nil)
		r.Host = host
		rec := httptest.NewRecorder()
		w.lead().ServeHTTP(rec, r)
		if got := rec.Header().Get("Location"); rec.Code != http.StatusPermanentRedirect || got != want {
			t.Errorf("%s: got %d %s, want %s", host, rec.Code, got, want)
		}
	}
	if got, want := withPort("example.org", "443", true), "example.org"; got != want {
		t.Errorf("port of the scheme: got %s, want %s", got, want)
	}
}
