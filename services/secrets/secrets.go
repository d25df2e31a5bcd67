// Package secrets keeps what must not be readable in a clone: TLS and host keys,
// tokens, webhook secrets. They lie on one branch, a file each, encrypted under
// a seed of 32 bytes that is never in git; and keys that need not be kept at all
// are derived from the same seed.
//
// A file is
//
//	"cairn secret 1\n"   15 bytes
//	key ID               8 bytes, says which seed; derived, so it gives nothing away
//	nonce                24 bytes, random
//	XChaCha20-Poly1305   of the content, 16 bytes longer
//
// The key comes from the seed by HKDF-SHA256 (RFC 5869). What stands before the
// ciphertext and the file's path are authenticated with it, so a file that was
// changed, or moved to another name, does not open. Seal encrypts in the same way what other
// branches keep, under another key.
//
// # Caveats
//
// Names, sizes and times of change can be seen. Somebody who can write to the
// branch can put back an older version of a file under the same name: compare
// with a signed history where that matters. Whoever has the seed has everything.
package secrets

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// MaxSecret is the largest content of a secret, in bytes.
const MaxSecret = 1 << 20

var (
	// ErrWrongSeed says that a secret was made under another seed than this one.
	ErrWrongSeed = errors.New("the secret was encrypted under another seed: give the seed this repository was made with")
	// ErrDamaged says that a secret was changed or moved, or is not one.
	ErrDamaged = errors.New("the secret is damaged, or was moved here from another name")
	// ErrTooLarge says that a secret is larger than MaxSecret.
	ErrTooLarge = errors.New("a secret is 1 MiB at most")
)

// Secrets are those on one branch. Safe for concurrent use.
type Secrets struct {
	branch *store.Branch
	seed   [32]byte
	box    box
	sealer box // of Seal
}

// Open returns the secrets on b, which need not exist yet, under seed.
func Open(b *store.Branch, seed [32]byte) (*Secrets, error) {
	s := &Secrets{branch: b, seed: seed}
	key, err := s.expand("cairn secrets 1: key", 32)
	if err != nil {
		return nil, err
	}
	sealing, err := s.expand("cairn sealed 1: key", 32)
	if err != nil {
		return nil, err
	}
	id, err := s.expand("cairn secrets 1: key ID", keyIDSize)
	if err != nil {
		return nil, err
	}
	s.box = box{magic: magic, key: [32]byte(key), id: [keyIDSize]byte(id)}
	s.sealer = box{magic: sealedMagic, key: [32]byte(sealing), id: s.box.id}
	return s, nil
}

// Get returns the secret at path; absent is fs.ErrNotExist.
func (s *Secrets) Get(ctx context.Context, path string) ([]byte, error) {
	t, err := s.branch.Tree(ctx)
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", path, err)
	}
	data, err := s.read(t, path)
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", path, err)
	}
	return data, nil
}

// Put keeps data at path. by is the commit's author. When the same is there
// already nothing is written.
func (s *Secrets) Put(ctx context.Context, by object.Signature, path string, data []byte) error {
	if data == nil {
		data = []byte{}
	}
	return s.Update(ctx, by, path, func([]byte) ([]byte, error) { return data, nil })
}

// Update replaces the secret at path by what edit makes of it; nil stands for
// absence, before and after. Nobody else changes it in between: when somebody was
// first edit runs again. edit's error ends Update. by is the commit's author.
// When nothing changes nothing is written.
func (s *Secrets) Update(ctx context.Context, by object.Signature, path string, edit func(old []byte) ([]byte, error)) error {
	ch := store.Change{Author: by, Message: "Set secret " + path + "\n"}
	return s.branch.Update(ctx, ch, func(tx *store.Tx) error {
		if err := s.edit(tx, path, edit); err != nil {
			return fmt.Errorf("secret %q: %w", path, err)
		}
		return nil
	})
}

func (s *Secrets) edit(tx *store.Tx, path string, edit func([]byte) ([]byte, error)) error {
	old, err := s.read(tx, path)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	data, err := edit(old)
	switch {
	case err != nil:
		return err
	case len(data) > MaxSecret:
		return ErrTooLarge
	case data == nil && absent, data != nil && !absent && bytes.Equal(data, old):
		return nil
	case data == nil:
		return tx.Remove(path)
	default:
		return tx.Put(path, s.box.seal(path, data))
	}
}

// List returns the paths of all secrets, sorted.
func (s *Secrets) List(ctx context.Context) ([]string, error) {
	t, err := s.branch.Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	return list(t)
}

// Check is what a push to the branch must satisfy: every secret opens under its
// name with our seed. So an administrator can revert, or bring back a backup.
func (s *Secrets) Check(new *store.Tree) error {
	paths, err := list(new)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if _, err := s.read(new, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// read opens the secret at path of t, a store.Tree or store.Tx.
func (s *Secrets) read(t interface {
	Blob(path string) ([]byte, store.Hash, error)
}, path string) ([]byte, error) {
	file, _, err := t.Blob(path)
	switch {
	case errors.Is(err, store.ErrTooLarge), int64(len(file)) > MaxSecret+overhead:
		return nil, ErrTooLarge
	case err != nil:
		return nil, err
	default:
		return s.box.open(path, file)
	}
}

func list(t fs.FS) ([]string, error) {
	var paths []string
	err := fs.WalkDir(t, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

// Derive returns n bytes (8160 at most) that only whoever has the seed can
// compute, the same for the same label.
func (s *Secrets) Derive(label string, n int) ([]byte, error) {
	return s.expand("cairn derived 1: "+label, n)
}

// DeriveEd25519 returns the private key that belongs to label, such as "ssh host".
func (s *Secrets) DeriveEd25519(label string) (ed25519.PrivateKey, error) {
	seed, err := s.expand("cairn ed25519 1: "+label, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (s *Secrets) expand(info string, n int) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, s.seed[:], nil, info, n)
	if err != nil {
		return nil, fmt.Errorf("derive %q: %w", info, err)
	}
	return b, nil
}
