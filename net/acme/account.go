package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// stored is an account in the storage.
type stored struct {
	Key      []byte `json:"key"` // PKCS #8
	Location string `json:"location"`
}

func (m *Manager) accountKey() string { return "account/" + m.ca }

// account returns the account that all replicas have with the authority, and
// makes it if there is none.
func (m *Manager) account(ctx context.Context, c *acmez.Client) (acme.Account, error) {
	acct, err := m.loadAccount(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return acct, err
	}
	if err := m.locks.lock(ctx, m.accountKey()); err != nil {
		return acct, err
	}
	acct, err = m.loadAccount(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		acct, err = m.newAccount(ctx, c)
	}
	if err := m.locks.unlock(ctx, m.accountKey()); err != nil {
		m.log.Warn("lock not given back", "err", err)
	}
	return acct, err
}

func (m *Manager) newAccount(ctx context.Context, c *acmez.Client) (acme.Account, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return acme.Account{}, err
	}
	return m.register(ctx, c, acme.Account{PrivateKey: key})
}

func (m *Manager) loadAccount(ctx context.Context) (acme.Account, error) {
	data, err := m.opts.Storage.Load(ctx, m.accountKey())
	if err != nil {
		return acme.Account{}, fmt.Errorf("account: %w", err)
	}
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return acme.Account{}, fmt.Errorf("account: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(s.Key)
	if err != nil {
		return acme.Account{}, fmt.Errorf("account: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return acme.Account{}, fmt.Errorf("account: a key of type %T", key)
	}
	return acme.Account{Status: acme.StatusValid, Location: s.Location, PrivateKey: signer}, nil
}

// register makes an account with acct's key, or finds the one that there is (RFC
// 8555 §7.3.1), and stores it.
func (m *Manager) register(ctx context.Context, c *acmez.Client, acct acme.Account) (acme.Account, error) {
	fresh := acme.Account{PrivateKey: acct.PrivateKey, TermsOfServiceAgreed: true}
	if m.opts.Email != "" {
		fresh.Contact = []string{"mailto:" + m.opts.Email}
	}
	acct, err := c.NewAccount(ctx, fresh)
	if err != nil {
		return acct, fmt.Errorf("make an account: %w", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(acct.PrivateKey)
	if err != nil {
		return acct, err
	}
	data, err := json.Marshal(stored{Key: key, Location: acct.Location})
	if err != nil {
		return acct, err
	}
	err = m.opts.Storage.Update(ctx, m.accountKey(), func([]byte) ([]byte, error) { return data, nil })
	if err != nil {
		return acct, fmt.Errorf("store the account: %w", err)
	}
	m.log.Info("account made", "authority", m.opts.Directory, "account", acct.Location)
	return acct, nil
}
