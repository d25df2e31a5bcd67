package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"strings"
)

// Lengths of RSA keys, in bits, whose signatures are looked at: below, they prove
// nothing (RFC 8301 §3.2); above, each costs its verifier a millisecond and more.
const (
	minRSA = 1024
	maxRSA = 8192
)

// A publicKey is what the DNS says of a selector (RFC 6376 §3.6.1).
type publicKey struct {
	key     crypto.PublicKey // *rsa.PublicKey or ed25519.PublicKey
	testing bool             // t=y
	strict  bool             // t=s: i= must be of d= itself, not below it
}

// lookupKey asks for the key of a selector.
func lookupKey(ctx context.Context, ask *asker, selector, domain string) (publicKey, error) {
	all, err := ask.LookupTXT(ctx, selector+"._domainkey."+domain)
	if err != nil && !notFound(err) {
		return publicKey{}, failed(errorVerdict(err), "%v", err)
	}
	if len(all) > 1 { // something else may lie there too, of a wildcard
		all = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, "v=DKIM1") })
	}
	if len(all) != 1 {
		return publicKey{}, failed(PermError, "%d keys of that name", len(all))
	}
	return parseKey(all[0])
}

// parseKey reads a key record.
func parseKey(record string) (publicKey, error) {
	tags, err := parseTags(record)
	if err != nil {
		return publicKey{}, failed(PermError, "key record: %v", err)
	}
	if v, ok := tags.find("v"); ok && (v.value != "DKIM1" || tags[0].name != "v") {
		return publicKey{}, failed(PermError, "key record is not of DKIM1")
	}
	if services := tags.list("s"); services != nil && !slices.Contains(services, "*") && !slices.Contains(services, "email") {
		return publicKey{}, failed(PermError, "key is not for mail")
	}
	if hashes := tags.list("h"); hashes != nil && !slices.Contains(hashes, "sha256") {
		return publicKey{}, failed(PermError, "key is not for sha256")
	}
	flags := tags.list("t")
	k := publicKey{testing: slices.Contains(flags, "y"), strict: slices.Contains(flags, "s")}
	switch p, err := tags.base64("p"); {
	case !tags.has("p") || err != nil:
		return k, failed(PermError, "key record has no key")
	case len(p) == 0:
		return k, failed(PermError, "key is revoked")
	default:
		k.key, err = decodeKey(tags.get("k"), p)
		return k, err
	}
}

func decodeKey(kind string, p []byte) (crypto.PublicKey, error) {
	switch kind {
	case "", "rsa":
		return decodeRSA(p)
	case "ed25519":
		if len(p) != ed25519.PublicKeySize {
			return nil, failed(PermError, "ed25519 key has %d bytes", len(p))
		}
		return ed25519.PublicKey(p), nil
	}
	return nil, failed(PermError, "key is of an unknown kind")
}

// decodeRSA reads a SubjectPublicKeyInfo, and what some publish instead: the
// RSAPublicKey inside (RFC 6376 erratum 3017).
func decodeRSA(p []byte) (crypto.PublicKey, error) {
	any, err := x509.ParsePKIXPublicKey(p)
	if err != nil {
		any, err = x509.ParsePKCS1PublicKey(p)
	}
	key, ok := any.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, failed(PermError, "not an RSA key")
	}
	if n := key.N.BitLen(); n < minRSA || n > maxRSA {
		return nil, failed(PermError, "RSA key has %d bits", n)
	}
	return key, nil
}

// algorithm returns the a= that a key is for.
func algorithm(key crypto.PublicKey) string {
	switch key.(type) {
	case *rsa.PublicKey:
		return "rsa-sha256"
	case ed25519.PublicKey:
		return "ed25519-sha256"
	}
	return ""
}

func (k publicKey) bits() int {
	if key, ok := k.key.(*rsa.PublicKey); ok {
		return key.N.BitLen()
	}
	return 8 * ed25519.PublicKeySize
}

// verifies says whether sig is the key's signature of something with this digest.
func (k publicKey) verifies(digest [sha256.Size]byte, sig []byte) bool {
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, digest[:], sig)
	}
	return false
}
