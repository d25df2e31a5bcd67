package accounts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// keyLine is a new key's authorized_keys line.
func keyLine(t testing.TB, comment string) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return lineOf(t, pub, comment)
}

func lineOf(t testing.TB, pub any, comment string) string {
	t.Helper()
	k, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return Key{k, comment}.String()
}

func rsaLine(t testing.TB, bits int) string {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return lineOf(t, &k.PublicKey, "")
}

func TestParseKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		keyLine(t, ""), keyLine(t, "alice@laptop"), keyLine(t, "my old laptop"),
		lineOf(t, &ec.PublicKey, ""), rsaLine(t, 2048),
		"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJjzc2a20RjCvN/0ibH6UpGuN9F9hDvD7x182bOesNhHAAAABHNzaDo= user@host",
	} {
		k, err := ParseKey("  " + line + "\r\n")
		if err != nil || k.String() != line {
			t.Errorf("%.60s: got %v, %v", line, k, err)
		}
	}
}

func TestParseKeyRefused(t *testing.T) {
	good := keyLine(t, "")
	t.Setenv("GODEBUG", "rsa1024min=0")
	for what, line := range map[string]string{
		"nothing":     "",
		"comment":     "# " + good,
		"option":      `command="sh" ` + good,
		"restrict":    "restrict " + good,
		"two lines":   good + "\n" + keyLine(t, ""),
		"cut short":   good[:40],
		"wrong type":  strings.Replace(good, "ssh-ed25519", "ssh-rsa", 1),
		"private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
		"small RSA":   rsaLine(t, 1024),
		"too long":    good + " " + strings.Repeat("x", maxKeyLine),
		"NUL":         good + " \x00",
		"DSA": "ssh-dss AAAAB3NzaC1kc3MAAACBAP1/U4EddRIpUt9KnC7s5Of2EbdSPO9EAMMeP4C2USZpRV1AIlH7WT2NWPq/xfW6MPbLm1Vs14E7gB00b/JmYLdrmVClpJ+" +
			"f6AR7ECLCT7up1/63xhv4O1fnxqimFQ8E+4P208UewwI1VBNaFpEy9nXzrith1yrv8iIDGZ3RSAHHAAAAFQCXYFCPFSMLzLKSuYKi64QL8Fgc9QAAAIEA9+Gghd" +
			"abPd7LvKtcNrhXuXmUr7v6OuqC+VdMCz0HgmdRWVeOutRZT+ZxBxCBgLRJFnEj6EwoFhO3zwkyjMim4TwWeotUfI0o4KOuHiuzpnWRbqN/C/ohNWLx+2J6ASQ7z" +
			"KTxvqhRkImog9/hWuWfBpKLZl6Ae1UlZAFMO/7PSSoAAACBAJHTSYWKfZLRrMGkYOCHuAKhuGEwHyZ7Lc3XCmGZcFoRVGjTaYYkRdbXRTAxAs+1Zt5nDCOLTDvO" +
			"5hBGbHhJyfqoFIvQdEXcPDeHCqKOlQPjLyZtXRpzpL5jaCYlUhwdfEUHBkk/8nhpYBDnvXyZHwPuwDvW2RAFoLQzRlf0NGcB",
	} {
		if k, err := ParseKey(line); err == nil {
			t.Errorf("%s: %.80s was accepted as %s", what, line, k.Type())
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(keyLine(f, "alice@laptop"))
	f.Add(`no-pty,command="a b" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA`)
	f.Add("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== x")
	f.Fuzz(func(t *testing.T, line string) {
		k, err := ParseKey(line)
		if err != nil {
			return
		}
		again, err := ParseKey(k.String())
		if err != nil || again.String() != k.String() || !bytes.Equal(again.Marshal(), k.Marshal()) {
			t.Errorf("%q is read as %q, that as %q (%v)", line, k, again, err)
		}
	})
}

func TestOpenPGP(t *testing.T) {
	e, err := openpgp.NewEntity("Alice", "", "alice@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	armored := func(kind string, write func(io.Writer) error) string {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if err := checkOpenPGP(armored(openpgp.PublicKeyType, e.Serialize)); err != nil {
		t.Errorf("a public key: got %v, want nil", err)
	}
	a := New(store.New(mem.New(), store.Options{}).Branch("accounts"))
	by, key := object.Signature{Name: "Root"}, armored(openpgp.PublicKeyType, e.Serialize)
	if err := a.Add(t.Context(), by, "alice", "alice's password", true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{nil, fs.ErrExist} {
		if err := a.AddOpenPGPKey(t.Context(), by, "alice", key); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if u, err := a.User(t.Context(), "alice"); err != nil || len(u.OpenPGPKeys) != 1 || u.OpenPGPKeys[0] != key {
		t.Errorf("got %+v, %v", u, err)
	}
	if err := a.AddOpenPGPKey(t.Context(), by, "alice", "no key"); err == nil {
		t.Error("plain text was added")
	}
	private := func(w io.Writer) error { return e.SerializePrivate(w, nil) }
	for _, kind := range []string{openpgp.PrivateKeyType, openpgp.PublicKeyType} {
		if err := checkOpenPGP(armored(kind, private)); err == nil {
			t.Errorf("a private key as %s was accepted", kind)
		}
	}
	if err := checkOpenPGP("Alice's key"); err == nil {
		t.Error("plain text was accepted")
	}
}
