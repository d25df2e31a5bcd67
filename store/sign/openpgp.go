// Package sign makes the signers that a store.Repo may be given. It is apart
// from package store so that a program that signs nothing does not hold the
// cryptography.
package sign

import (
	"bytes"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp"

	"cairn/store"
)

// OpenPGP signs commits with an OpenPGP key, whose private part must be
// there and not locked. Git verifies them with gpg.
func OpenPGP(key *openpgp.Entity) store.Signer { return &pgpSigner{key} }

type pgpSigner struct{ key *openpgp.Entity }

// Sign implements store.Signer.
func (s *pgpSigner) Sign(commit []byte) (string, error) {
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&out, s.key, bytes.NewReader(commit), nil); err != nil {
		return "", fmt.Errorf("sign with OpenPGP key: %w", err)
	}
	return out.String(), nil
}
