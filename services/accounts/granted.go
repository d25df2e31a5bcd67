package accounts

import (
	"context"
	"slices"
	"strings"
)

// with returns a user with the addresses that Granted gives and that no record claims.
func (a *Accounts) with(ctx context.Context, s *snapshot, u *User) *User {
	if a.Granted == nil {
		return u
	}
	var more []string
	for _, address := range a.Granted(ctx, u.Name) {
		if _, taken := s.mail[foldAddress(address)]; !taken {
			more = append(more, address)
		}
	}
	if len(more) == 0 {
		return u
	}
	c := *u
	c.Addresses = slices.Concat(u.Addresses, more)
	return &c
}

// named is the user of a name or an e-mail address, "" for nobody.
func (a *Accounts) named(ctx context.Context, s *snapshot, nameOrAddress string) string {
	address := foldAddress(nameOrAddress)
	_, claimed := s.mail[address]
	if ValidName(nameOrAddress) || claimed || a.Granted == nil {
		return s.name(nameOrAddress)
	}
	local, _, ok := strings.Cut(address, "@")
	if _, there := s.users[local]; !ok || !there {
		return ""
	}
	if slices.ContainsFunc(a.Granted(ctx, local), func(g string) bool { return foldAddress(g) == address }) {
		return local
	}
	return ""
}
