package certs

import (
	"bytes"
	"encoding/pem"
	"os/exec"
	"strings"
	"testing"
)

// TestNameKey: a name's key is the same every time, and no other's; its hash is what openssl says of the
// certificate.
func TestNameKey(t *testing.T) {
	a, err := NameKey([32]byte{1}, "Mail.example.org.")
	if err != nil {
		t.Fatal(err)
	}
	for name, seed := range map[string]byte{"mail.example.org": 1, "www.example.org": 1, "MAIL.example.org": 2} {
		b, err := NameKey([32]byte{seed}, name)
		if err != nil {
			t.Fatal(err)
		}
		if same := b.Equal(a); same != (name == "mail.example.org") {
			t.Errorf("%s of seed %d: the same key: %v", name, seed, same)
		}
	}
	own, err := FromSeed([32]byte{1}, "mail.example.org")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := KeyHash(own.Leaf().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | openssl sha256")
	cmd.Stdin = bytes.NewReader(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Leaf().Raw}))
	out, err := cmd.Output()
	if err != nil {
		t.Skip("openssl is not installed")
	}
	if !strings.Contains(string(out), hash) {
		t.Errorf("got %s, openssl says %s", hash, out)
	}
}
