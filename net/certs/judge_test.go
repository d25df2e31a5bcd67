package certs

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// judge returns the path of a program of somebody else's.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CAIRN_CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// judged runs a judge and returns what it says.
func judged(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"HOME=/nonexistent"}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// OpenSSL takes the certificates for what they are meant to be.
func TestOpenSSL(t *testing.T) {
	openssl := judge(t, "openssl")
	a := authority(t, seed, "example.org", "*.example.net", "127.0.0.1")
	cert, _ := pems(t, a)
	leaf, root := filepath.Join(t.TempDir(), "leaf.pem"), filepath.Join(t.TempDir(), "root.pem")
	for name, data := range map[string][]byte{leaf: cert, root: a.RootPEM()} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"-verify_hostname", "www.example.net"}, {"-verify_ip", "127.0.0.1"}, {"-purpose", "sslserver"}} {
		args = append([]string{"verify", "-x509_strict", "-CAfile", root}, args...)
		if out, err := judged(t.Context(), openssl, append(args, leaf)...); err != nil {
			t.Errorf("openssl %v: %v\n%s", args, err, out)
		}
	}
	out, err := judged(t.Context(), openssl, "x509", "-noout", "-fingerprint", "-sha256", "-in", leaf)
	if want := Fingerprint(a.Leaf()); !strings.HasSuffix(out, "="+want) || err != nil {
		t.Errorf("fingerprint: got %s, %v, want %s", out, err, want)
	}
}

// curl connects to whom it was told to trust, by root or by pin.
func TestCurl(t *testing.T) {
	curl := judge(t, "curl")
	a := authority(t, seed, "127.0.0.1")
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, a.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		TLSConfig: Config(a, "h2", "http/1.1"),
		ErrorLog:  log.New(io.Discard, "", 0),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }),
	}
	done := make(chan error)
	go func() { done <- s.ServeTLS(l, "", "") }()
	defer func() { s.Close(); <-done }()
	other := Pin(authority(t, [32]byte{9}, "127.0.0.1").Leaf())
	for _, c := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"--cacert", root}, true},
		{[]string{"--cacert", root, "--pinnedpubkey", Pin(a.Leaf())}, true},
		{[]string{"--insecure", "--pinnedpubkey", Pin(a.Leaf())}, true},
		{[]string{"--insecure", "--pinnedpubkey", other}, false},
		{[]string{}, false},
	} {
		out, err := judged(t.Context(), curl, append(c.args, "--silent", "--show-error", "https://"+l.Addr().String()+"/")...)
		if c.ok != (err == nil && out == "hello") {
			t.Errorf("curl %v: got %q, %v, want success: %v", c.args, out, err, c.ok)
		}
	}
}
