package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"cairn/services/tomlfile"
)

const locksFile = ".locks.toml"

// A Lock is a WebDAV lock (RFC 4918 §6). Who may do what in spite of it is for the
// protocol to judge.
type Lock struct {
	Token     string    `toml:"token"`              // a URI
	Root      string    `toml:"root"`               // what is locked: a path below the home, of names as clients know them
	Infinite  bool      `toml:"infinite,omitempty"` // Depth: infinity
	Shared    bool      `toml:"shared,omitempty"`
	Principal string    `toml:"principal"`       // user
	Owner     string    `toml:"owner,omitempty"` // XML, as the client sent it
	Expires   time.Time `toml:"expires"`
}

type lockRecord struct {
	Lock []Lock `toml:"lock"`
}

func decodeLocks(data []byte, strict bool) ([]Lock, error) {
	var r lockRecord
	if err := tomlfile.Decode(data, &r, strict); err != nil {
		return nil, err
	}
	for _, l := range r.Lock {
		if l.Token == "" {
			return nil, errors.New("a lock without a token")
		}
	}
	return r.Lock, nil
}

// Locks returns the locks that have not expired.
func (s *Snapshot) Locks() ([]Lock, error) {
	list, _, err := s.allLocks()
	return s.living(list), err
}

// living leaves out what has expired.
func (s *Snapshot) living(list []Lock) []Lock {
	now := s.shelf.o.Now()
	return slices.DeleteFunc(slices.Clone(list), func(l Lock) bool { return !l.Expires.After(now) })
}

// allLocks reads the file. One that cannot be read holds none: it was made by hand,
// past Check.
func (s *Snapshot) allLocks() (list []Lock, there bool, err error) {
	data, _, err := s.tree.Blob(locksFile)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) { // or it is a folder
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read locks of %q: %w", s.user, err)
	}
	if list, err = decodeLocks(data, false); err != nil {
		s.shelf.o.Log.Warn("locks that cannot be read", "user", s.user, "err", err)
	}
	return list, true, nil
}

// Locks is Snapshot.Locks after what was changed.
func (e *Edit) Locks() ([]Lock, error) {
	if e.relock {
		return slices.Clone(e.locks), nil
	}
	return e.Snapshot.Locks()
}

// SetLocks makes list the locks. It belongs into the Update that does what the
// locks allow or guard. More than fit into 64 KiB are ErrTooManyProps.
func (e *Edit) SetLocks(list []Lock) error {
	list = e.living(list)
	for i := range list {
		list[i].Expires = list[i].Expires.UTC().Truncate(time.Second)
	}
	e.locks, e.relock = list, true
	if len(list) == 0 {
		err := e.tx.Remove(locksFile)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	data, err := encodeTOML(lockRecord{list})
	if err != nil {
		return fmt.Errorf("locks of %q: %w", e.user, err)
	}
	return e.tx.Put(locksFile, data)
}

// sweepLocks removes what has expired, if anything else is changed: an Update that
// changes nothing makes no commit for that.
func (e *Edit) sweepLocks() error {
	list, there, err := e.allLocks()
	if err != nil || !there || e.relock {
		return err
	}
	living := e.living(list)
	if len(living) == len(list) {
		return nil
	}
	if root, err := e.tx.Lookup("."); err != nil || root.Hash == e.tree.Hash() {
		return err
	}
	return e.SetLocks(living)
}
