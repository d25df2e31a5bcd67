package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/mail/srs"
)

// A Route is where mail for one address goes.
type Route struct {
	Users   []Target // mailboxes of this house
	Forward []string // addresses elsewhere, to which an alias leads
	sinks   []sunk
}

// A Target is a user's mail.
type Target struct {
	User    string
	Detail  string // what stands behind the + of the address (RFC 5233)
	Address string // to which it was sent, or the alias led
}

// An UnknownError says that nobody has an address of a domain that is served here.
type UnknownError struct{ Address string }

func (e *UnknownError) Error() string { return fmt.Sprintf("nobody has the address %q", e.Address) }

// A NotLocalError says that the mail of an address's domain is not served here.
type NotLocalError struct{ Address string }

func (e *NotLocalError) Error() string {
	return fmt.Sprintf("the mail of %q is not served here", e.Address)
}

const (
	localhost  = "localhost" // is served always
	aliasDepth = 10          // aliases that lead to one another
	routeWidth = 1000        // receivers of one address
	detailMark = "+"
	postmaster = "postmaster" // RFC 5321 §4.5.1
	abuse      = "abuse"      // RFC 2142
)

// Route says where mail for an address goes. It is NAME@DOMAIN, or a NAME alone, which is a
// user's or postmaster. The order is: an alias of the domain; an address in a
// user's record; a user of that name; all these without +DETAIL; postmaster and abuse; the
// domain's catch-all. Upper and lower case are the same, before the @ too. When nobody has
// the address it is an *UnknownError; when the domain is not served here, a *NotLocalError.
func (s *Service) Route(ctx context.Context, address string) (Route, error) {
	w := walk{service: s, seen: map[string]bool{}}
	if err := w.to(ctx, address, 0); err != nil {
		return Route{}, err
	}
	switch n := len(w.route.Users) + len(w.route.Forward) + len(w.route.sinks); {
	case n == 0:
		return Route{}, &UnknownError{address} // aliases that lead in a circle
	case n > routeWidth:
		return Route{}, fmt.Errorf("route %q: it leads to %d receivers, %d at most", address, n, routeWidth)
	}
	return w.route, nil
}

// postmaster is the user who reads what is for the house: the one that is named in the
// configuration, else the first administrator.
func (s *Service) postmaster(ctx context.Context) (string, error) {
	m, err := s.Config.Mail(ctx)
	if err != nil {
		return "", err
	}
	users, err := s.Accounts.Users(ctx)
	for _, u := range users {
		if u.Name == m.Postmaster || m.Postmaster == "" && u.Admin {
			return u.Name, nil
		}
	}
	if err != nil {
		return "", err
	}
	return "", &UnknownError{postmaster}
}

// Local reports whether the mail of a domain, as SplitAddress returns it, is served here.
func (s *Service) Local(ctx context.Context, domain string) (bool, error) {
	if domain == "" || domain == localhost {
		return true, nil
	}
	_, err := s.Config.Domain(ctx, domain)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// sender undoes what forwarding does to senders (package srs): a report about a message that was
// passed on goes back to who has sent it.
func (s *Service) sender(address, domain string) (back string, ok bool, err error) {
	if s.SRSKey == nil || domain == "" {
		return "", false, nil
	}
	local := unquote(address[:strings.LastIndexByte(address, '@')])
	if !srs.Is(local) {
		return "", false, nil
	}
	rewriter := srs.Rewriter{Domain: domain, Key: s.SRSKey, Now: s.Now}
	if back, err = rewriter.Reverse(local); err != nil {
		return "", false, &UnknownError{address}
	}
	return back, true, nil
}
