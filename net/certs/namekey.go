package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
)

// NameKey returns the key on P-256 that follows from a seed for the certificates of a name, whoever gives
// them: it stays when they are renewed, so that others can be told of it (DANE, pins), and every
// replica has it.
func NameKey(seed [32]byte, name string) (*ecdsa.PrivateKey, error) {
	return deriveKey(seed, "name "+CanonicalName(name))
}

// KeyHash is the SHA-256 of a public key in hexadecimal, as TLSA records with the selector 1 and the
// matching type 1 hold it (RFC 6698).
func KeyHash(pub crypto.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:]), nil
}
