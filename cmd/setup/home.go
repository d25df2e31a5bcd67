package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"cairn/libos"
)

// KeepDir is where a service keeps what it keeps on its host: HomeDir of the folder that was given.
func KeepDir(env libos.Env) (string, error) {
	if env.Alone {
		return "", errors.New("nothing is kept here by itself: say where everything is with --remote URL, or on a host with --home DIR")
	}
	return HomeDir(env.State)
}

// HomeDir is dir made absolute; by default cairn in the user's data directory
// (XDG Base Directory Specification: $XDG_DATA_HOME, else ~/.local/share).
func HomeDir(dir string) (string, error) {
	if dir == "" {
		data := os.Getenv("XDG_DATA_HOME")
		if !filepath.IsAbs(data) {
			user, err := os.UserHomeDir()
			if err != nil {
				return "", errors.New("there is no home directory to put things in: say where with --home DIR")
			}
			data = filepath.Join(user, ".local", "share")
		}
		dir = filepath.Join(data, "cairn")
	}
	return filepath.Abs(dir)
}

// Repository is where a home's repository lies.
func Repository(home string) string { return filepath.Join(home, "repo.git") }

// ErrRunning says that another process holds the home's lock.
var ErrRunning = errors.New("a Cairn runs on this home already")

// LockHome makes sure that one process serves a home. The lock goes with the
// process, however it ends.
func LockHome(home string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(home, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrRunning
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// SeedPath is the one secret that is never in git: 32 bytes in hexadecimal. The
// secrets branch is encrypted under it, and the SSH host key comes from it.
func SeedPath(home string) string { return filepath.Join(home, "seed") }

// ReadSeed returns the home's seed; fs.ErrNotExist when there is none yet.
func ReadSeed(home string) (Seed, error) {
	text, err := os.ReadFile(SeedPath(home))
	if err != nil {
		return Seed{}, err
	}
	seed, err := ParseSeed(string(text))
	if err != nil {
		return Seed{}, fmt.Errorf("%s %w: put back the one this home was made with", SeedPath(home), err)
	}
	return seed, nil
}

// KeepSeed makes a seed the home's.
func KeepSeed(home string, seed Seed) error {
	return writeDurable(SeedPath(home), []byte(seed.String()+"\n"))
}

// NewSeed makes a seed.
func NewSeed() (seed Seed) {
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
	return RenameDurable(f.Name(), name)
}

// RenameDurable renames in a folder such that it survives the loss of power.
func RenameDurable(old, name string) error {
	if err := os.Rename(old, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
