package secrets

import (
	"errors"
	"fmt"
)

// MaxSealed is the most that Seal takes, in bytes: what it returns fits into one
// file of a branch (store.MaxObject).
const MaxSealed = 64<<20 - int(overhead)

// ErrSealedTooLarge says that something is larger than MaxSealed.
var ErrSealedTooLarge = errors.New("what is sealed is 64 MiB at most")

// Seal encrypts what another branch keeps and a clone should not show: a message
// that waits to be sent. It is a file as those of
// the branch of secrets are, but under a key of its own, with
// "cairn sealed 1\n" at its beginning, and bound to a name that the caller chooses, such
// as "queue/" and a path, so that it opens under no other.
func (s *Secrets) Seal(name string, data []byte) ([]byte, error) {
	if len(data) > MaxSealed {
		return nil, fmt.Errorf("seal %q: %w", name, ErrSealedTooLarge)
	}
	return s.sealer.seal(name, data), nil
}

// Unseal returns what Seal was given under this name. file stays as it is.
func (s *Secrets) Unseal(name string, file []byte) ([]byte, error) {
	data, err := s.sealer.open(name, file)
	if err != nil {
		return nil, fmt.Errorf("unseal %q: %w", name, err)
	}
	return data, nil
}
