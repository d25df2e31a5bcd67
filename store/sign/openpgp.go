// Package sign makes the signers that a store.Repo may be given, and verifies
// what they and stock git have signed. It is apart
// from package store so that a program that signs nothing does not hold the
// cryptography.
package sign

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

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

// verifyOpenPGP checks a signature as gpg makes it for git: over the bytes. One over text
// would hold with other ends of lines, too.
func (k *Keys) verifyOpenPGP(signed []byte, armored string) error {
	block, err := armor.Decode(strings.NewReader(armored))
	if err != nil {
		return fmt.Errorf("read OpenPGP signature: %w", err)
	}
	sig, _, err := openpgp.VerifyDetachedSignature(k.pgp, bytes.NewReader(signed), block.Body, nil)
	switch {
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return ErrUntrusted
	case err != nil:
		return fmt.Errorf("verify OpenPGP signature: %w", err)
	case sig.SigType != packet.SigTypeBinary:
		return errors.New("verify OpenPGP signature: it is one over text")
	}
	return nil
}
