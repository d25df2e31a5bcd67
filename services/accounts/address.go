package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// ErrAddressTaken is what an edit is refused for that gives a user somebody
// else's address.
var ErrAddressTaken = errors.New("this address is somebody else's already: an address says who logs in")

// Find returns the user of a name or an e-mail address; absent is
// fs.ErrNotExist. Upper and lower case of an address are the same.
func (a *Accounts) Find(ctx context.Context, nameOrAddress string) (*User, error) {
	s, err := a.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	name := a.named(ctx, s, nameOrAddress)
	e, ok := s.users[name]
	if !ok {
		return nil, fmt.Errorf("user %q: %w", nameOrAddress, fs.ErrNotExist)
	}
	if e.err != nil {
		return nil, fmt.Errorf("user %q: %w", name, e.err)
	}
	return a.with(ctx, s, &e.record.User), nil
}

// AddAddress gives a user an e-mail address.
func (a *Accounts) AddAddress(ctx context.Context, by object.Signature, name, address string) error {
	return a.edit(ctx, by, name, fmt.Sprintf("Add address %s of %s", address, name), func(tx *store.Tx, r *record) error {
		s, err := load(tx, nil)
		if err != nil {
			return err
		}
		owner, taken := s.mail[foldAddress(address)]
		switch {
		case !taken:
			r.Addresses = append(slices.Clone(r.Addresses), address)
			return nil
		case owner == name:
			return fmt.Errorf("address %q of %s: %w", address, name, fs.ErrExist)
		default:
			return ErrAddressTaken
		}
	})
}

// RemoveAddress takes an e-mail address away.
func (a *Accounts) RemoveAddress(ctx context.Context, by object.Signature, name, address string) error {
	return a.edit(ctx, by, name, fmt.Sprintf("Remove address %s of %s", address, name), func(_ *store.Tx, r *record) error {
		i := slices.IndexFunc(r.Addresses, func(have string) bool { return foldAddress(have) == foldAddress(address) })
		if i < 0 {
			return fmt.Errorf("address %q of %s: %w", address, name, fs.ErrNotExist)
		}
		r.Addresses = slices.Delete(slices.Clone(r.Addresses), i, i+1)
		return nil
	})
}

// foldAddress is an address in the form in which two are compared. RFC 5321
// §2.4 lets the host decide about the case of what stands before the @; no host
// of today tells two people apart by it.
func foldAddress(address string) string { return strings.ToLower(address) }

// name is the user of a name or an e-mail address, "" for nobody.
func (s *snapshot) name(nameOrAddress string) string {
	if ValidName(nameOrAddress) {
		return nameOrAddress
	}
	return s.mail[foldAddress(nameOrAddress)]
}

// addAddresses notes whose r's addresses are. One that two users claim, which no
// push makes, is nobody's.
func (s *snapshot) addAddresses(r *record) {
	for _, address := range r.Addresses {
		owner, taken := s.mail[foldAddress(address)]
		if taken && owner != r.Name {
			s.mail[foldAddress(address)] = ""
		} else {
			s.mail[foldAddress(address)] = r.Name
		}
	}
}

// claimAddresses notes r's addresses as taken, unless somebody else's are the
// same.
func (r *record) claimAddresses(mail map[string]string) error {
	for _, address := range r.Addresses {
		if owner, taken := mail[foldAddress(address)]; taken && owner != r.Name {
			return fmt.Errorf("addresses: %s is %s's already: an address says who logs in", address, owner)
		}
		mail[foldAddress(address)] = r.Name
	}
	return nil
}
