package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
)

// An Authority is a private certificate authority with one certificate, for all
// its names.
type Authority struct {
	root  *x509.Certificate
	pair  tls.Certificate
	names []string
}

// Certificates of an Authority are valid from and until these times, so that
// they are the same whenever they are made.
var (
	validFrom  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	validUntil = time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
)

// FromSeed returns the Authority of a seed with a certificate for names: DNS
// names, those with "*." as their first label, and IP addresses. The first one's
// certificate is for clients that give no name.
//
// Everything follows from the seed: the keys (ECDSA on P-256) from it alone, by
// HKDF-SHA256 (RFC 5869), so that a pin of the key outlives a change of names;
// the certificates from it and the names, with deterministic signatures (RFC
// 6979). They are valid for a hundred years, which some clients refuse (Apple's
// beyond 825 days).
func FromSeed(seed [32]byte, names ...string) (*Authority, error) {
	if len(names) == 0 {
		return nil, errors.New("a certificate needs a name")
	}
	names, err := canonical(names)
	if err != nil {
		return nil, err
	}
	rootKey, err := deriveKey(seed, "root")
	if err != nil {
		return nil, err
	}
	leafKey, err := deriveKey(seed, "leaf")
	if err != nil {
		return nil, err
	}
	root, err := sign(seed, rootTemplate(), nil, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	leaf, err := sign(seed, leafTemplate(names), root, leafKey.Public(), rootKey)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", strings.Join(names, ", "), err)
	}
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw, root.Raw}, PrivateKey: leafKey, Leaf: leaf}
	return &Authority{root: root, pair: pair, names: names}, nil
}

// canonical returns names as certificates have them, those that are not ASCII with
// "xn--".
func canonical(names []string) ([]string, error) {
	all := make([]string, len(names))
	for i, n := range names {
		wild, host := "", CanonicalName(n)
		if h, ok := strings.CutPrefix(host, "*."); ok {
			wild, host = "*.", h
		}
		if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
			ascii, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return nil, fmt.Errorf("certificate for %q: %w", n, err)
			}
			host = ascii
		}
		all[i] = wild + host
	}
	return all, nil
}

// SelfSigned returns an Authority that there was not before and will not be
// again.
func SelfSigned(names ...string) (*Authority, error) {
	var seed [32]byte
	rand.Read(seed[:])
	return FromSeed(seed, names...)
}

// GetCertificate implements Source for the Authority's DNS names.
func (a *Authority) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !has(a.names, hello.ServerName) {
		return nil, absent(hello.ServerName)
	}
	return &a.pair, nil
}

// Leaf returns the certificate that is served.
func (a *Authority) Leaf() *x509.Certificate { return a.pair.Leaf }

// Root returns the Authority's own certificate, which a client can trust.
func (a *Authority) Root() *x509.Certificate { return a.root }

// RootPEM returns Root as a file for "curl --cacert" and the like.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

func rootTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Cairn private authority"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
}

func leafTemplate(names []string) *x509.Certificate {
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Cairn"},
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil {
			t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return t
}

// sign completes a certificate: t for the key pub, by parent, nil for itself,
// whose key is key. Its serial number follows from all that is in it, as no two
// certificates of one authority may have the same.
func sign(seed [32]byte, t, parent *x509.Certificate, pub crypto.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	if parent == nil {
		parent = t
	}
	t.NotBefore, t.NotAfter = validFrom, validUntil
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(spki)
	t.SubjectKeyId = id[:] // RFC 7093 §2, method 4
	content := fmt.Sprintf("serial %v %q %v", t.IsCA, t.DNSNames, t.IPAddresses)
	serial, err := derive(seed, content, 16)
	if err != nil {
		return nil, err
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of full length
	t.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(nil, t, parent, pub, key) // without randomness ECDSA is deterministic
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// deriveKey returns the key on P-256 that belongs to label. Its scalar is 48
// bytes modulo the group's order less one, plus one: FIPS 186-5 appendix A.2.1.
func deriveKey(seed [32]byte, label string) (*ecdsa.PrivateKey, error) {
	b, err := derive(seed, "p256 "+label, 48)
	if err != nil {
		return nil, err
	}
	one := big.NewInt(1)
	d := new(big.Int).SetBytes(b)
	d.Mod(d, new(big.Int).Sub(elliptic.P256().Params().N, one))
	d.Add(d, one)
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
}

func derive(seed [32]byte, label string, n int) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, seed[:], nil, "cairn certs 1: "+label, n)
	if err != nil {
		return nil, fmt.Errorf("derive %q: %w", label, err)
	}
	return b, nil
}
