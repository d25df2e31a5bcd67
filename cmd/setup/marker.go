package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/services/secrets"
	"cairn/store/object"
)

// marker is the secret that says which seed a repository was made with, before there is any
// other one.
const marker = "seed"

// ErrWrongSeed says that a repository was made with another seed.
var ErrWrongSeed = errors.New("this seed is not the one that the repository was made with: give that one, by --seed-file or CAIRN_SEED")

// MarkSeed makes the seed that s is under the repository's, if it has none yet.
func MarkSeed(ctx context.Context, s *secrets.Secrets, by object.Signature) error {
	err := s.Update(ctx, by, marker, func(old []byte) ([]byte, error) {
		if old != nil {
			return old, nil
		}
		return []byte("The seed that this opens with is the one of this repository.\n"), nil
	})
	return wrongSeed(err)
}

// CheckSeed returns ErrWrongSeed where the secrets of a repository are under another seed than s
// is. One that has no secret may have any.
func CheckSeed(ctx context.Context, s *secrets.Secrets) error {
	_, err := s.Get(ctx, marker)
	if !errors.Is(err, fs.ErrNotExist) {
		return wrongSeed(err)
	}
	names, err := s.List(ctx) // of one that was made before there were markers
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = s.Get(ctx, names[0])
	return wrongSeed(err)
}

func wrongSeed(err error) error {
	if errors.Is(err, secrets.ErrWrongSeed) {
		return ErrWrongSeed
	}
	if err != nil {
		return fmt.Errorf("hold the seed against the repository: %w", err)
	}
	return nil
}
