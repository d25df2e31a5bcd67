package setup

import "golang.org/x/crypto/ssh"

// SigningKey is the key under which every commit is signed that Cairn makes. It comes
// from the seed, so it is the same wherever the home goes.
func SigningKey(seed Seed) (ssh.Signer, error) {
	derived, err := seed.derive()
	if err != nil {
		return nil, err
	}
	key, err := derived.DeriveEd25519("commit signing key")
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}
