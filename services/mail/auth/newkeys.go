package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

// newRSA is the length of RSA keys that are made here, in bits: longer ones do not
// fit everybody's DNS (RFC 8301 §3.2).
const newRSA = 2048

// NewKeys makes the two keys that a domain signs with. The RSA key takes some tenths of a second.
func NewKeys() (*rsa.PrivateKey, ed25519.PrivateKey, error) {
	r, err := rsa.GenerateKey(rand.Reader, newRSA)
	if err != nil {
		return nil, nil, fmt.Errorf("make an RSA key: %w", err)
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make an Ed25519 key: %w", err)
	}
	return r, e, nil
}

// KeyRecord returns the TXT record that publishes a key (RFC 6376 §3.6.1, RFC 8463 §4), as one text:
// that of an RSA key has to be cut in strings of 255 bytes at most. The key is an
// *rsa.PublicKey or an ed25519.PublicKey.
func KeyRecord(key crypto.PublicKey) (string, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return "", fmt.Errorf("publish an RSA key: %w", err)
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key), nil
	}
	return "", fmt.Errorf("publish a key: %T is of an unknown kind", key)
}
