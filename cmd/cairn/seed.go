package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// seedPath is the one secret that is never in git: 32 bytes in hexadecimal. The
// secrets branch is encrypted under it, and the SSH host key comes from it.
func seedPath(home string) string { return filepath.Join(home, "seed") }

// readSeed returns the home's seed, and makes one where there is none.
func readSeed(home string) ([32]byte, error) {
	var seed [32]byte
	text, err := os.ReadFile(seedPath(home))
	if errors.Is(err, fs.ErrNotExist) {
		rand.Read(seed[:])
		return seed, writeDurable(seedPath(home), []byte(hex.EncodeToString(seed[:])+"\n"))
	}
	if err != nil {
		return seed, err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(seed) {
		return seed, fmt.Errorf("%s is not a seed (64 hexadecimal digits): put back the one this home was made with", seedPath(home))
	}
	return [32]byte(raw), nil
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
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
