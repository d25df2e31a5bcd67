package domain

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"time"

	"cairn/services/config"
	"cairn/services/mail/auth"
	"cairn/services/secrets"
	"cairn/store/object"
)

// Keys are those that sign mail, as secrets dkim/DOMAIN/SELECTOR.
type Keys struct{ Secrets *secrets.Secrets }

func secretOf(domain, selector string) string { return path.Join("dkim", domain, selector) }

// Make makes a pair of keys, RSA and Ed25519, for a domain, and returns their selectors, which are
// those of nobody before: they hold the time to the second.
func (k Keys) Make(ctx context.Context, by object.Signature, domain string, now time.Time) ([]string, error) {
	rsa, ed25519, err := auth.NewKeys()
	if err != nil {
		return nil, fmt.Errorf("make keys of %s: %w", domain, err)
	}
	var selectors []string
	for suffix, key := range map[string]crypto.Signer{"r": rsa, "e": ed25519} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("make keys of %s: %w", domain, err)
		}
		selector := "c" + now.UTC().Format("20060102150405") + suffix
		if err := k.Secrets.Put(ctx, by, secretOf(domain, selector), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
			return nil, fmt.Errorf("keep keys of %s: %w", domain, err)
		}
		selectors = append(selectors, selector)
	}
	if selectors[0] > selectors[1] { // Ed25519 first
		selectors[0], selectors[1] = selectors[1], selectors[0]
	}
	return selectors, nil
}

// key reads one.
func (k Keys) key(ctx context.Context, domain, selector string) (crypto.Signer, error) {
	text, err := k.Secrets.Get(ctx, secretOf(domain, selector))
	if err != nil {
		return nil, fmt.Errorf("key %s of %s: %w", selector, domain, err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("key %s of %s: %w", selector, domain, errors.New("not a PEM file"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s of %s: %w", selector, domain, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key %s of %s does not sign", selector, domain)
	}
	return signer, nil
}

// Signer signs what leaves a domain with all its keys; nil where it has none.
func (k Keys) Signer(ctx context.Context, d *config.Domain) (*auth.Signer, error) {
	if len(d.DKIM) == 0 {
		return nil, nil
	}
	s := &auth.Signer{Domain: d.Name}
	for _, selector := range d.DKIM {
		key, err := k.key(ctx, d.Name, selector)
		if err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, auth.Key{Selector: selector, Key: key})
	}
	return s, nil
}

// Records are what the DNS says of a domain's keys, those to come among them.
func (k Keys) Records(ctx context.Context, d *config.Domain) ([]Key, error) {
	var list []Key
	for _, selectors := range [][]string{d.DKIM, d.DKIMNext} {
		for _, selector := range selectors {
			key, err := k.key(ctx, d.Name, selector)
			if err != nil {
				return nil, err
			}
			text, err := auth.KeyRecord(key.Public())
			if err != nil {
				return nil, fmt.Errorf("key %s of %s: %w", selector, d.Name, err)
			}
			list = append(list, Key{selector, text})
		}
	}
	return list, nil
}
