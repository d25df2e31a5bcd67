package acme

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// orderTime bounds one order.
const orderTime = 15 * time.Minute

// caKey is an authority as a part of a storage key.
func caKey(directory string) string {
	u, err := url.Parse(directory)
	if err != nil {
		return safe(directory)
	}
	return safe(u.Host + "-" + url.PathEscape(u.Path))
}

// key is the one for a name's next certificate.
func (m *Manager) key(name string) (*ecdsa.PrivateKey, error) {
	if m.opts.Key != nil {
		return m.opts.Key(name)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// issue gets a certificate by ACME. An error of the authority's is an *Error.
func (m *Manager) issue(ctx context.Context, name string) (bundle, error) {
	key, err := m.key(name)
	if err != nil {
		return nil, err
	}
	csr, err := acmez.NewCSR(key, []string{name})
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	v := &visit{}
	chain, err := m.obtain(ctx, v, csr)
	if err == nil {
		err = fits(chain.ChainPEM, csr)
	}
	if err != nil {
		return nil, m.explain(name, v, err)
	}
	if chain.RenewalInfo != nil && chain.RenewalInfo.HasWindow() {
		limit(chain.RenewalInfo)
	} else {
		chain.RenewalInfo = nil
	}
	return newBundle(name, key, *chain)
}

// obtain orders a certificate. If there is one for the name the authority is told
// that it is replaced, so that this does not count towards its limits (RFC 9773
// §5); if it does not know that one, it is not told.
func (m *Manager) obtain(ctx context.Context, v *visit, csr *x509.CertificateRequest) (*acme.Certificate, error) {
	c := m.client(v)
	acct, err := m.account(ctx, c)
	if err != nil {
		return nil, err
	}
	params, err := acmez.OrderParametersFromCSR(acct, csr)
	if err != nil {
		return nil, err
	}
	if params.Replaces, err = m.replaced(ctx, csr.DNSNames[0], acct); err != nil {
		return nil, err
	}
	chains, err := c.ObtainCertificate(ctx, params)
	if p, ok := errors.AsType[acme.Problem](err); ok && p.Resource == nil {
		switch {
		case p.Type == acme.ProblemTypeAccountDoesNotExist:
			if params.Account, err = m.register(ctx, c, acct); err != nil {
				return nil, err
			}
			params.Replaces = nil
			chains, err = c.ObtainCertificate(ctx, params)
		case params.Replaces != nil && p.Type != acme.ProblemTypeRateLimited:
			params.Replaces = nil
			chains, err = c.ObtainCertificate(ctx, params)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(chains) == 0 {
		return nil, errors.New("the authority gave no certificate")
	}
	return &chains[0], nil
}

// replaced returns the certificate that acct has for name, nil for none.
func (m *Manager) replaced(ctx context.Context, name string, acct acme.Account) (*x509.Certificate, error) {
	cert, err := loadCertificate(ctx, m.opts.Storage, m.folder(name))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errBroken):
		return nil, nil
	case err != nil:
		return nil, err
	case cert.meta.Account != acct.Location || cert.meta.RenewalInfo == nil:
		return nil, nil
	}
	return cert.tls.Leaf, nil
}

// fits returns an error unless a chain is for the key and the names of csr, and
// valid now: a bad one must not replace a good one.
func fits(chainPEM []byte, csr *x509.CertificateRequest) error {
	block, _ := pem.Decode(chainPEM)
	if block == nil {
		return errors.New("the authority gave something that is no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("the authority's certificate: %w", err)
	}
	if !bytes.Equal(leaf.RawSubjectPublicKeyInfo, csr.RawSubjectPublicKeyInfo) {
		return errors.New("the authority's certificate is for another key")
	}
	for _, name := range csr.DNSNames {
		if err := leaf.VerifyHostname(name); err != nil {
			return fmt.Errorf("the authority's certificate: %w", err)
		}
	}
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return fmt.Errorf("the authority's certificate is valid from %v until %v only; does the clock go right?", leaf.NotBefore, leaf.NotAfter)
	}
	return nil
}
