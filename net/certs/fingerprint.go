package certs

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

// Fingerprint returns the SHA-256 of a certificate as browsers and "openssl x509
// -fingerprint -sha256" show it: "12:AB:…".
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// Pin returns the SHA-256 of a certificate's public key as "curl --pinnedpubkey"
// takes it: "sha256//…". It stays when a certificate is renewed with its key.
func Pin(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "sha256//" + base64.StdEncoding.EncodeToString(sum[:])
}
