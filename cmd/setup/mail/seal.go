package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"cairn/services/accounts"
	"cairn/services/mail/sealed"
)

// seal encrypts what is kept for users who want that; nil for others. Whoever has no key that can be
// used gets nothing until they do: it waits where it is.
func (m *Mail) seal(ctx context.Context, user string, raw []byte) ([]byte, error) {
	if sealed, err := m.isSealed(ctx, user); err != nil || !sealed {
		return nil, err
	}
	u, err := m.Accounts.User(ctx, user)
	if err != nil {
		return nil, err
	}
	out, err := sealed.Seal(raw, u.OpenPGPKeys, rand.Reader, m.service.Now())
	if err != nil {
		return nil, fmt.Errorf("mail of %s is to be sealed: %w", user, err)
	}
	return out, nil
}

// autocrypt tells a user's key in what they send.
func (m *Mail) autocrypt(_ context.Context, u *accounts.User, from string) (string, error) {
	return sealed.Autocrypt(u.OpenPGPKeys, strings.ToLower(from), m.service.Now()), nil
}

// directory is the Web Key Directory of all domains.
func (m *Mail) directory() http.Handler {
	return &sealed.Directory{Keys: m.keysOf, Names: m.namesAt, Now: m.service.Now}
}

// keysOf are the OpenPGP keys of whoever has an address.
func (m *Mail) keysOf(ctx context.Context, address string) ([]string, error) {
	route, err := m.service.Route(ctx, address)
	if err != nil || len(route.Users) != 1 {
		return nil, fs.ErrNotExist
	}
	u, err := m.Accounts.User(ctx, route.Users[0].User)
	if err != nil {
		return nil, err
	}
	return u.OpenPGPKeys, nil
}

// namesAt are the local parts of a domain's users.
func (m *Mail) namesAt(ctx context.Context, domain string) (list []string, err error) {
	if _, err := m.Config.Domain(ctx, domain); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	users, err := m.Accounts.Users(ctx)
	if err != nil && len(users) == 0 {
		return nil, err
	}
	for _, u := range users {
		list = append(list, u.Name)
		for _, a := range u.Addresses {
			if local, host, ok := strings.Cut(a, "@"); ok && strings.EqualFold(host, domain) {
				list = append(list, local)
			}
		}
	}
	return list, nil
}
