package push

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// pushFile is where a person's registrations lie, encrypted.
const pushFile = ".push"

// maxKept is how many registrations there may be on one branch.
const maxKept = 200

// kept is a registration with its ID.
type kept struct {
	ID string
	Registration
}

// Register keeps a registration, in the place of an older one of the same
// subscription for the same collection. Its errors besides ErrInvalid and
// ErrTooMany are those of shelf.Update; a collection that is not there, or not shared
// with the user, is fs.ErrNotExist. Who may register is the caller's to judge.
func (s *Service) Register(ctx context.Context, r Registration) (Registered, error) {
	if err := r.check(); err != nil {
		return Registered{}, err
	}
	at := s.Now()
	if r.Expires.IsZero() || !r.Expires.After(at) {
		r.Expires = at.Add(usually)
	}
	if last := at.Add(atMost); r.Expires.After(last) {
		r.Expires = last
	}
	r.Expires = r.Expires.UTC().Truncate(time.Second)
	k := kept{s.id(&r), r}
	snap, err := s.Shelf.Snapshot(ctx, r.Owner)
	if err != nil {
		return Registered{}, err
	}
	before, err := s.state(snap, &k)
	if err != nil {
		return Registered{}, err
	}
	done := Registered{ID: k.ID, Expires: r.Expires}
	err = s.change(ctx, r.Owner, "Tell a program of changes", func(list []kept) ([]kept, error) {
		i := slices.IndexFunc(list, func(o kept) bool { return o.ID == k.ID })
		if done.New = i < 0; !done.New {
			list[i] = k
			return list, nil
		}
		if len(list) >= maxKept {
			return nil, ErrTooMany
		}
		return append(list, k), nil
	})
	if err != nil {
		return Registered{}, err
	}
	s.begin(k.ID, before)
	return done, nil
}

// id names a subscription for a collection. It begins with whose branch it is kept on.
func (s *Service) id(r *Registration) string {
	return r.Owner + "_" + s.name("registration", r.Owner, r.Path.String(), r.User, r.Endpoint)
}

// Unregister forgets a registration of a user. Absent, or somebody else's, is
// fs.ErrNotExist.
func (s *Service) Unregister(ctx context.Context, id, user string) error {
	owner, _, ok := strings.Cut(id, "_")
	if !ok {
		return fmt.Errorf("registration %q: %w", id, fs.ErrNotExist)
	}
	err := s.change(ctx, owner, "Do not tell a program of changes any more", func(list []kept) ([]kept, error) {
		n := len(list)
		list = slices.DeleteFunc(list, func(k kept) bool { return k.ID == id && k.User == user })
		if len(list) == n {
			return nil, fmt.Errorf("registration %q: %w", id, fs.ErrNotExist)
		}
		return list, nil
	})
	if errors.Is(err, fs.ErrInvalid) { // nobody could be called that
		err = fs.ErrNotExist
	}
	return err
}

// change changes what is registered on a branch, and leaves out what has expired.
func (s *Service) change(ctx context.Context, owner, message string, f func([]kept) ([]kept, error)) error {
	return s.Shelf.Update(ctx, store.Change{Message: message}, []string{owner}, func(edits map[string]*shelf.Edit) error {
		e := edits[owner]
		list, err := s.read(owner, e.Tree())
		if err != nil {
			return err
		}
		now := s.Now()
		list = slices.DeleteFunc(list, func(k kept) bool { return !k.Expires.After(now) })
		if list, err = f(list); err != nil {
			return err
		}
		data, err := s.sealed(owner, list)
		if err != nil {
			return err
		}
		return e.Tx().Put(pushFile, data)
	})
}

// read returns what is registered on a branch. What cannot be decrypted (the key is another
// now) is nothing: programs register again.
func (s *Service) read(owner string, t *store.Tree) ([]kept, error) {
	data, _, err := t.Blob(pushFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	box := s.box()
	if len(data) < box.NonceSize() {
		return nil, nil
	}
	plain, err := box.Open(nil, data[:box.NonceSize()], data[box.NonceSize():], []byte(owner))
	if err != nil {
		return nil, nil
	}
	var list []kept
	if err := json.Unmarshal(plain, &list); err != nil {
		return nil, nil
	}
	return list, nil
}

func (s *Service) sealed(owner string, list []kept) ([]byte, error) {
	plain, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	box := s.box()
	nonce := make([]byte, box.NonceSize())
	if _, err := io.ReadFull(s.Rand, nonce); err != nil {
		return nil, err
	}
	return box.Seal(nonce, nonce, plain, []byte(owner)), nil
}

func (s *Service) box() cipher.AEAD {
	block, err := aes.NewCipher(s.key("registrations"))
	if err != nil {
		panic(err) // the key is 32 bytes
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return box
}
