package certs

import (
	"crypto/x509"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// TestBuiltIn makes sure that the program carries authorities, and those of Let's Encrypt.
func TestBuiltIn(t *testing.T) {
	pool := builtIn()
	known, lets := 0, false
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue
		}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: cert.NotBefore}); err == nil {
			known++
			lets = lets || cert.Subject.CommonName == "ISRG Root X1"
		}
	}
	if known < 100 || !lets {
		t.Errorf("%d authorities, ISRG Root X1 among them: %v; want 100 and true", known, lets)
	}
	if Roots().Equal(x509.NewCertPool()) {
		t.Error("no authority is trusted here")
	}
}
