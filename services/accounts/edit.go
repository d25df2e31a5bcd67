package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// What else an edit can be refused for. fs.ErrExist and fs.ErrNotExist mean that
// a user, key or app password is there already or is not.
var (
	ErrName      = errors.New("a user's name is 1 to 32 of a-z, 0-9 and hyphen, and does not begin with a hyphen")
	ErrLastAdmin = errors.New("this is the last administrator: make another one first")
	ErrKeyTaken  = errors.New("this key is somebody else's already: a key says who logs in")
)

// maxAppPasswords bounds how many a log-in has to be compared with.
const maxAppPasswords = 100

// Add makes a user. In this and the methods below, by is the acting user, who
// becomes the commit's author; when they return nil the change is durable.
func (a *Accounts) Add(ctx context.Context, by object.Signature, name, password string, admin bool) error {
	if !ValidName(name) {
		return ErrName
	}
	hash, err := a.hashChosen(ctx, password)
	if err != nil {
		return err
	}
	ch := store.Change{Author: by, Message: "Add user " + name + "\n"}
	return a.branch.Update(ctx, ch, func(tx *store.Tx) error {
		if _, err := tx.Lookup(file(name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("user %q: %w", name, fs.ErrExist))
		}
		r := &record{User: User{Name: name, Admin: admin}, Password: hash}
		return putRecord(tx, r)
	})
}

// SetPassword replaces the chosen password. App passwords stay.
func (a *Accounts) SetPassword(ctx context.Context, by object.Signature, name, password string) error {
	hash, err := a.hashChosen(ctx, password)
	if err != nil {
		return err
	}
	return a.edit(ctx, by, name, "Set password of "+name, func(_ *store.Tx, r *record) error {
		r.Password = hash
		return nil
	})
}

func (a *Accounts) hashChosen(ctx context.Context, password string) (string, error) {
	password, err := chosen(password)
	if err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, password)
}

// NewAppPassword makes a password for one program or device and returns it; it
// cannot be read again later. app names it.
func (a *Accounts) NewAppPassword(ctx context.Context, by object.Signature, name, app string) (string, error) {
	secret := GeneratePassword()
	created := time.Now().UTC().Truncate(time.Second)
	err := a.edit(ctx, by, name, fmt.Sprintf("Add app password %q of %s", app, name), func(_ *store.Tx, r *record) error {
		if slices.ContainsFunc(r.AppPasswords, func(p AppPassword) bool { return p.Name == app }) {
			return fmt.Errorf("app password %q: %w", app, fs.ErrExist)
		}
		if len(r.AppPasswords) >= maxAppPasswords {
			return fmt.Errorf("%d app passwords are enough: remove one first", maxAppPasswords)
		}
		salt, err := r.scramSalt()
		if err != nil {
			return err
		}
		keys, err := newScram(secret, salt)
		r.AppPasswords = append(slices.Clone(r.AppPasswords), AppPassword{app, created, keys.String()})
		return err
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// RemoveAppPassword makes the app password worthless.
func (a *Accounts) RemoveAppPassword(ctx context.Context, by object.Signature, name, app string) error {
	return a.edit(ctx, by, name, fmt.Sprintf("Remove app password %q of %s", app, name), func(_ *store.Tx, r *record) error {
		i := slices.IndexFunc(r.AppPasswords, func(p AppPassword) bool { return p.Name == app })
		if i < 0 {
			return fmt.Errorf("app password %q: %w", app, fs.ErrNotExist)
		}
		r.AppPasswords = slices.Delete(r.AppPasswords, i, i+1)
		return nil
	})
}

// AddKey lets the holder of an SSH key log in; line is its authorized_keys line.
func (a *Accounts) AddKey(ctx context.Context, by object.Signature, name, line string) error {
	key, err := ParseKey(line)
	if err != nil {
		return err
	}
	return a.edit(ctx, by, name, "Add SSH key of "+name, func(tx *store.Tx, r *record) error {
		s, err := load(tx, nil)
		if err != nil {
			return err
		}
		switch owner := s.keys[string(key.Marshal())]; owner {
		case "":
			r.SSHKeys = append(slices.Clone(r.SSHKeys), key.String())
			return nil
		case name:
			return fmt.Errorf("key of %s: %w", name, fs.ErrExist)
		default:
			return ErrKeyTaken
		}
	})
}

// AddOpenPGPKey gives a user an armored OpenPGP public key, to which mail to them can be encrypted and
// with which their commits are known. One that is there already is fs.ErrExist.
func (a *Accounts) AddOpenPGPKey(ctx context.Context, by object.Signature, name, armored string) error {
	if err := checkOpenPGP(armored); err != nil {
		return err
	}
	return a.edit(ctx, by, name, "Add OpenPGP key of "+name, func(_ *store.Tx, r *record) error {
		if slices.Contains(r.OpenPGPKeys, armored) {
			return fmt.Errorf("key of %s: %w", name, fs.ErrExist)
		}
		r.OpenPGPKeys = append(slices.Clone(r.OpenPGPKeys), armored)
		return nil
	})
}

// RemoveKey takes an SSH key away; line is its authorized_keys line, of which
// the comment does not matter.
func (a *Accounts) RemoveKey(ctx context.Context, by object.Signature, name, line string) error {
	key, err := ParseKey(line)
	if err != nil {
		return err
	}
	return a.edit(ctx, by, name, "Remove SSH key of "+name, func(_ *store.Tx, r *record) error {
		n := len(r.SSHKeys)
		r.SSHKeys = slices.DeleteFunc(r.SSHKeys, func(l string) bool {
			k, err := ParseKey(l)
			return err == nil && string(k.Marshal()) == string(key.Marshal())
		})
		if len(r.SSHKeys) == n {
			return fmt.Errorf("key of %s: %w", name, fs.ErrNotExist)
		}
		return nil
	})
}

// Remove removes a user, but not the last administrator. What the user owns
// stays, and is owned by whoever gets the name next.
func (a *Accounts) Remove(ctx context.Context, by object.Signature, name string) error {
	if !ValidName(name) {
		return ErrName
	}
	ch := store.Change{Author: by, Message: "Remove user " + name + "\n"}
	return a.branch.Update(ctx, ch, func(tx *store.Tx) error {
		s, err := load(tx, nil)
		if err != nil {
			return err
		}
		e, ok := s.users[name]
		if !ok {
			return fmt.Errorf("user %q: %w", name, fs.ErrNotExist)
		}
		if e.err == nil && e.record.Admin && s.admins() == 1 {
			return ErrLastAdmin
		}
		return tx.Remove(file(name))
	})
}

// edit changes one user's record.
func (a *Accounts) edit(ctx context.Context, by object.Signature, name, what string, f func(*store.Tx, *record) error) error {
	if !ValidName(name) {
		return ErrName
	}
	ch := store.Change{Author: by, Message: what + "\n"}
	return a.branch.Update(ctx, ch, func(tx *store.Tx) error {
		data, _, err := tx.Blob(file(name))
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		r, err := decode(name, data, false)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		if err := f(tx, r); err != nil {
			return err
		}
		return putRecord(tx, r)
	})
}

func putRecord(tx *store.Tx, r *record) error {
	data, err := r.encode()
	if err != nil {
		return fmt.Errorf("user %q: %w", r.Name, err)
	}
	return tx.Put(file(r.Name), data)
}

// admins counts the administrators.
func (s *snapshot) admins() int {
	n := 0
	for _, e := range s.users {
		if e.err == nil && e.record.Admin {
			n++
		}
	}
	return n
}
