package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cairn/cmd/setup"
)

// seedPath is the one secret that is never in git: 32 bytes in hexadecimal. The
// secrets branch is encrypted under it, and the SSH host key comes from it.
func seedPath(home string) string { return filepath.Join(home, "seed") }

// readSeed returns the home's seed; fs.ErrNotExist when there is none yet.
func readSeed(home string) (setup.Seed, error) {
	text, err := os.ReadFile(seedPath(home))
	if err != nil {
		return setup.Seed{}, err
	}
	seed, err := setup.ParseSeed(string(text))
	if err != nil {
		return setup.Seed{}, fmt.Errorf("%s %w: put back the one this home was made with", seedPath(home), err)
	}
	return seed, nil
}

// keepSeed makes a seed the home's.
func keepSeed(home string, seed setup.Seed) error {
	return writeDurable(seedPath(home), []byte(seed.String()+"\n"))
}

// newSeed makes a seed.
func newSeed() (seed setup.Seed) {
	rand.Read(seed[:])
	return seed
}

// writeDurable writes a new file of mode 0600 that survives the loss of power.
func writeDurable(name string, data []byte) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return renameDurable(f.Name(), name)
}

// renameDurable renames in a folder such that it survives the loss of power.
func renameDurable(old, name string) error {
	if err := os.Rename(old, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
