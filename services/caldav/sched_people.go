package caldav

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/sched"
)

// ownBy returns what knows a person's calendar user addresses: their e-mail addresses
// and the URL of their principal.
func ownBy(u *accounts.User) sched.Own {
	mine := map[string]bool{sched.Address(principalHref(u.Name)): true}
	for _, a := range mailHrefs(u) {
		mine[sched.Address(a)] = true
	}
	return func(address string) bool { return mine[sched.Address(principalPath(address))] }
}

// principalPath takes the host off the URL of a principal; other addresses stay as they
// are.
func principalPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !strings.HasPrefix(u.EscapedPath(), "/"+principalSpace+"/") {
		return address
	}
	return u.EscapedPath()
}

// local returns who has a calendar user address here, nil if nobody does.
func (x *exchange) local(address string) (*accounts.User, error) {
	name := ""
	if mail, ok := strings.CutPrefix(sched.Address(address), "mailto:"); ok && strings.Contains(mail, "@") {
		name = mail
	} else if p, err := parsePath(principalPath(address)); err == nil && p.kind == principal {
		name = p.user
	}
	if name == "" {
		return nil, nil
	}
	u, err := x.Accounts.Find(x.ctx(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return u, err
}
