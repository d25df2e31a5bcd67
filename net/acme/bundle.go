package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A bundle is a certificate in the storage: by the extensions of three files its ".key" and
// ".crt", which are PEM, and ".json", a resource. They are one file, written at once, so
// that neither a replica nor a restart finds a new key beside an old certificate.
type bundle map[string]string

var parts = []string{".crt", ".json", ".key"}

// patience is how long a certificate that was just got is held in memory while
// the storage is away.
const patience = 2 * time.Minute

// A resource is what a bundle says of its certificate.
type resource struct {
	Names  []string         `json:"sans"`
	Issuer acme.Certificate `json:"issuer_data"` // who gave it, and when to renew it
}

// newBundle is a certificate that was just got.
func newBundle(name string, key *ecdsa.PrivateKey, cert acme.Certificate) (bundle, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	about, err := json.Marshal(resource{[]string{name}, cert})
	if err != nil {
		return nil, err
	}
	return bundle{
		".crt":  string(cert.ChainPEM),
		".json": string(about),
		".key":  string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	}, nil
}

// save writes a bundle, also when ctx has ended, and until then tries again for a
// while: the authority does not give many certificates for one name.
func save(ctx context.Context, storage Storage, folder string, b bundle) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		err := storage.Update(patient, folder, func([]byte) ([]byte, error) { return data, nil })
		if err == nil || ctx.Err() != nil || sleep(patient, time.Second) != nil {
			return err
		}
	}
}

// errBroken says that what is stored of a certificate is of no use.
var errBroken = errors.New("the stored certificate is broken")

func parseBundle(data []byte) (bundle, error) {
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	for _, ext := range parts {
		if b[ext] == "" {
			return nil, fmt.Errorf("%w: it has no %s", errBroken, ext)
		}
	}
	return b, nil
}

// removeBroken removes a bundle that is of no use, if it still is.
func removeBroken(ctx context.Context, s Storage, folder string) error {
	return s.Update(ctx, folder, func(old []byte) ([]byte, error) {
		if _, err := parseCertificate(old); errors.Is(err, errBroken) {
			return nil, nil
		}
		return old, nil
	})
}

// safe returns name as a part of a key: in small letters, "*" as "wildcard_", and without what a
// key does not have.
func safe(name string) string {
	name = strings.NewReplacer(" ", "_", "+", "_plus_", "*", "wildcard_", ":", "-", "..", "").Replace(strings.TrimSpace(strings.ToLower(name)))
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_@.-", r) {
			return r
		}
		return -1
	}, name)
}
