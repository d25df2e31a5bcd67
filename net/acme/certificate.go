package acme

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A certificate is one that was got, as it is in the storage.
type certificate struct {
	tls  *tls.Certificate
	meta acme.Certificate // who gave it, and when to renew it
}

// loadCertificate returns what is stored. Absent is fs.ErrNotExist, useless
// errBroken.
func loadCertificate(ctx context.Context, s Storage, folder string) (*certificate, error) {
	data, err := s.Load(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("certificate storage: %w", err)
	}
	return parseCertificate(data)
}

func parseCertificate(data []byte) (*certificate, error) {
	b, err := parseBundle(data)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair([]byte(b[".crt"]), []byte(b[".key"]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	var meta resource
	if err := json.Unmarshal([]byte(b[".json"]), &meta); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	return &certificate{tls: &pair, meta: meta.Issuer}, nil
}

// due is when to renew: after two thirds of the certificate's life, or earlier if
// the authority suggests it (RFC 9773).
func (c *certificate) due() time.Time {
	leaf := c.tls.Leaf
	end := leaf.NotAfter.Add(time.Second) // the second that it names is part of its life
	t := end.Add(-end.Sub(leaf.NotBefore) / 3)
	if ari := c.meta.RenewalInfo; ari != nil && !ari.SelectedTime.IsZero() && ari.SelectedTime.Before(t) {
		t = ari.SelectedTime
	}
	return t
}

// ask is when to ask the authority for its suggestion again; zero means never,
// as it has made none.
func (c *certificate) ask() time.Time {
	ari := c.meta.RenewalInfo
	switch {
	case ari == nil || !ari.HasWindow():
		return time.Time{}
	case ari.RetryAfter == nil:
		return c.tls.Leaf.NotBefore
	default:
		return *ari.RetryAfter
	}
}
