package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

var seed = [32]byte{1, 2, 3}

func authority(t testing.TB, seed [32]byte, names ...string) *Authority {
	t.Helper()
	a, err := FromSeed(seed, names...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What follows from a seed must never change: somebody has pinned it.
func TestSeedIsForever(t *testing.T) {
	a := authority(t, seed, "example.org", "*.example.org", "127.0.0.1", "::1")
	const (
		fingerprint = "07:30:35:B6:34:53:DD:4A:32:D6:97:BE:1F:41:FB:BA:83:7F:47:FF:32:51:EC:19:16:1F:3B:FB:FE:0F:F8:09"
		pin         = "sha256//70XofZ4ilGSljQQTloQPlTd9kRH9X9HdRYGg1+iyy2I="
		root        = "05:DF:5C:01:1E:03:45:21:E3:53:9F:65:5C:6B:32:6D:3F:8B:E2:EE:2E:8C:D8:D1:A5:5D:97:C6:CE:FC:2D:D3"
	)
	if got := Fingerprint(a.Leaf()); got != fingerprint {
		t.Errorf("fingerprint: got %q, want %q", got, fingerprint)
	}
	if got := Pin(a.Leaf()); got != pin {
		t.Errorf("pin: got %q, want %q", got, pin)
	}
	if got := Fingerprint(a.Root()); got != root {
		t.Errorf("fingerprint of the root: got %q, want %q", got, root)
	}
	key, err := deriveKey(seed, "leaf")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Bytes()
	if want := "146fb74327a6fd064110b19c6cb7db905b281d81856ae65511b6baa40b025a54"; hex.EncodeToString(raw) != want || err != nil {
		t.Errorf("key: got %x, %v, want %s", raw, err, want)
	}
}

func TestSeed(t *testing.T) {
	a := authority(t, seed, "example.org", "*.Example.org.", "127.0.0.1")
	again := authority(t, seed, "example.org", "*.example.org", "127.0.0.1")
	renamed := authority(t, seed, "example.net")
	other := authority(t, [32]byte{9}, "example.org")
	switch {
	case !bytes.Equal(a.Leaf().Raw, again.Leaf().Raw), !bytes.Equal(a.RootPEM(), again.RootPEM()):
		t.Error("the same seed and names give other certificates")
	case Pin(a.Leaf()) != Pin(renamed.Leaf()), !a.Root().Equal(renamed.Root()):
		t.Error("other names change the keys")
	case a.Leaf().SerialNumber.Cmp(renamed.Leaf().SerialNumber) == 0, a.Leaf().SerialNumber.Cmp(a.Root().SerialNumber) == 0:
		t.Error("two certificates have one serial number")
	case Pin(a.Leaf()) == Pin(other.Leaf()), Pin(a.Root()) == Pin(other.Root()), Pin(a.Root()) == Pin(a.Leaf()):
		t.Error("two keys are the same")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.RootPEM()) {
		t.Fatal("the root is no PEM")
	}
	for _, name := range []string{"example.org", "www.example.org", "127.0.0.1"} {
		if _, err := a.Leaf().Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := other.Leaf().Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("the root vouches for another authority")
	}
	if _, err := FromSeed(seed); err == nil {
		t.Error("no names: got no error")
	}
	if _, err := FromSeed(seed, "a\x80b"); err == nil {
		t.Error("a name that is not ASCII: got no error")
	}
}

func TestSelfSigned(t *testing.T) {
	a, err1 := SelfSigned("example.org")
	b, err2 := SelfSigned("example.org")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if Pin(a.Leaf()) == Pin(b.Leaf()) {
		t.Error("two have the same key")
	}
	if now := time.Now(); now.Before(a.Leaf().NotBefore) || now.After(a.Leaf().NotAfter) {
		t.Errorf("valid from %v until %v", a.Leaf().NotBefore, a.Leaf().NotAfter)
	}
}

func TestAuthorityNames(t *testing.T) {
	a := authority(t, seed, "example.org", "*.example.net", "bücher.example", "a_b.local")
	for name, want := range map[string]bool{
		"": true, "example.org": true, "EXAMPLE.org.": true, "www.example.net": true, "xn--bcher-kva.example": true, "a_b.local": true,
		"www.example.org": false, "example.net": false, "a.b.example.net": false, ".example.net": false, "*": false,
	} {
		cert, err := a.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if want && (err != nil || cert.Leaf != a.Leaf()) || !want && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v, want one: %v", name, err, want)
		}
	}
}

// A certificate is not taken for names that are deeper or higher than its own.
func FuzzMatches(f *testing.F) {
	f.Add("*.example.org", "www.example.org")
	f.Add("*.example.org", ".example.org")
	f.Add("*.", "*.")
	f.Add("example.org", "example.org.")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		name = CanonicalName(name)
		if Matches(pattern, name) && pattern != name && strings.Count(pattern, ".") != strings.Count(name, ".") {
			t.Errorf("%q matches %q", pattern, name)
		}
	})
}
