package setup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"cairn/libos"
	"cairn/services/secrets"
)

// A Seed is the one secret that is never in git. The secrets branch is encrypted
// under it, and keys are derived from it.
type Seed [32]byte

// SeedArgs say which seed it is where no folder holds it.
var SeedArgs = []libos.Arg{
	{Name: "seed-file", Kind: libos.File, Env: "CAIRN_SEED_FILE", Help: "A file with the seed, 64 hexadecimal digits: the one secret that is not in the repository."},
	{Name: "seed", Value: "HEX", Env: "CAIRN_SEED", Help: "The seed itself. Others can see a command line: prefer the variable, or a file."},
}

// errSeed says what a seed looks like.
var errSeed = errors.New("is not a seed (64 hexadecimal digits)")

// ParseSeed reads a seed as people keep it.
func ParseSeed(text string) (Seed, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != len(Seed{}) {
		return Seed{}, errSeed
	}
	return Seed(raw), nil
}

// String is the seed as people keep it.
func (s Seed) String() string { return hex.EncodeToString(s[:]) }

// SeedGiven returns the seed that SeedArgs name; false when none do.
func SeedGiven(env libos.Env) (Seed, bool, error) {
	text, from := env.Args.String("seed"), "--seed (or CAIRN_SEED)"
	if name := env.Args.String("seed-file"); name != "" && text == "" {
		data, err := env.ReadFile(name)
		if err != nil {
			return Seed{}, false, fmt.Errorf("read the seed: %w", err)
		}
		text, from = string(data), name
	}
	if text == "" {
		return Seed{}, false, nil
	}
	seed, err := ParseSeed(text)
	if err != nil {
		return Seed{}, false, fmt.Errorf("%s %w", from, err)
	}
	return seed, true, nil
}

// derive returns the secrets of no branch, for the keys that follow from a seed.
func (s Seed) derive() (*secrets.Secrets, error) { return secrets.Open(nil, s) }
