package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/accounts"
	"cairn/services/mail/srs"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
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
	localhost   = "localhost" // is served always
	aliasDepth  = 10          // aliases that lead to one another
	routeWidth  = 1000        // receivers of one address
	maxAddress  = 254         // RFC 5321 §4.5.3.1.3, without the angle brackets
	detailMark  = "+"
	postmaster  = "postmaster" // RFC 5321 §4.5.1
	abuse       = "abuse"      // RFC 2142
	noCharacter = "\x00\r\n"
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

// SplitAddress returns both parts of an address in the form in which they are compared:
// lower case, NFC, the domain in ASCII (RFC 5890). A name alone has no domain.
func SplitAddress(address string) (local, domain string, err error) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		i = len(address)
	}
	local = strings.ToLower(norm.NFC.String(unquote(address[:i])))
	if local == "" || len(address) > maxAddress || strings.ContainsAny(address, noCharacter) || i == len(address)-1 {
		return "", "", &UnknownError{address}
	}
	if i == len(address) {
		return local, "", nil
	}
	domain = strings.ToLower(address[i+1:])
	if strings.HasPrefix(domain, "[") {
		return local, domain, nil
	}
	if domain, err = idna.Lookup.ToASCII(strings.TrimSuffix(domain, ".")); err != nil {
		return "", "", &UnknownError{address}
	}
	return local, domain, nil
}

// unquote takes the quotes off a local part (RFC 5321 §4.1.2).
func unquote(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	inner := local[1 : len(local)-1]
	var plain strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		plain.WriteByte(inner[i])
	}
	return plain.String()
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

// A walk follows aliases.
type walk struct {
	service *Service
	route   Route
	seen    map[string]bool // addresses and users that were reached
}

// to adds whom an address leads to.
func (w *walk) to(ctx context.Context, address string, depth int) error {
	local, domain, err := SplitAddress(address)
	if err != nil {
		return err
	}
	served, err := w.service.Local(ctx, domain)
	switch {
	case err != nil:
		return err
	case !served && depth == 0:
		return &NotLocalError{address}
	case !served:
		w.forward(address)
		return nil
	}
	if back, ok, err := w.service.sender(address, domain); ok || err != nil {
		if err == nil {
			w.forward(back)
		}
		return err
	}
	name, detail, _ := strings.Cut(local, detailMark)
	for _, try := range []struct{ local, detail string }{{local, ""}, {name, detail}} {
		if found, err := w.at(ctx, try.local, domain, try.detail, address, depth); found || err != nil {
			return err
		}
		if name == local {
			break
		}
	}
	return w.rest(ctx, name, domain, address)
}

// sender undoes what forwarding does to senders (package srs): a report about a message that was
// passed on goes back to who has sent it.
func (s *Service) sender(address, domain string) (back string, ok bool, err error) {
	if s.SRSKey == nil || domain == "" || len(address) < 5 || !strings.EqualFold(address[:3], "SRS") {
		return "", false, nil
	}
	rewriter := srs.Rewriter{Domain: domain, Key: s.SRSKey, Now: s.Now}
	if back, err = rewriter.Reverse(unquote(address[:strings.LastIndexByte(address, '@')])); err != nil {
		return "", false, &UnknownError{address}
	}
	return back, true, nil
}

// at adds whom local@domain leads to, and reports whether it does.
func (w *walk) at(ctx context.Context, local, domain, detail, address string, depth int) (bool, error) {
	if domain != "" && domain != localhost {
		d, err := w.service.Config.Domain(ctx, domain)
		if err != nil {
			return false, err
		}
		if to, ok := d.Aliases[local]; ok {
			return true, w.alias(ctx, to, local+"@"+domain, detail, address, depth)
		}
	}
	for _, sink := range w.service.Sinks {
		takes, err := sink.Takes(ctx, local, domain)
		if err != nil {
			return false, err
		}
		if takes {
			w.sink(sink, local+"@"+domain)
			return true, nil
		}
	}
	u, err := w.service.Accounts.Find(ctx, local+"@"+domain)
	if errors.Is(err, fs.ErrNotExist) && accounts.ValidName(local) {
		u, err = w.service.Accounts.User(ctx, local)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	w.user(u.Name, detail, address)
	return true, nil
}

// alias adds those whom an alias leads to: those of them that exist.
func (w *walk) alias(ctx context.Context, to []string, alias, detail, address string, depth int) error {
	if w.seen[alias] {
		return nil
	}
	w.seen[alias] = true
	if depth >= aliasDepth {
		return fmt.Errorf("alias %s: more than %d aliases lead to one another", alias, aliasDepth)
	}
	var missing error
	found := false
	for _, r := range to {
		var err error
		if accounts.ValidName(r) {
			if _, err = w.service.Accounts.User(ctx, r); errors.Is(err, fs.ErrNotExist) {
				err = &UnknownError{address}
			} else if err == nil {
				w.user(r, detail, address)
			}
		} else {
			err = w.to(ctx, r, depth+1)
		}
		var unknown *UnknownError
		switch {
		case err == nil:
			found = true
		case errors.As(err, &unknown):
			missing = &UnknownError{address}
		default:
			return err
		}
	}
	if found {
		return nil
	}
	return missing
}

// rest adds who gets what is for nobody else.
func (w *walk) rest(ctx context.Context, name, domain, address string) error {
	if name == postmaster || name == abuse && domain != "" {
		user, err := w.service.postmaster(ctx)
		if err == nil {
			w.user(user, "", address)
		}
		return err
	}
	if domain == "" || domain == localhost {
		return &UnknownError{address}
	}
	d, err := w.service.Config.Domain(ctx, domain)
	if err != nil {
		return err
	}
	if d.CatchAll == "" {
		return &UnknownError{address}
	}
	if _, err := w.service.Accounts.User(ctx, d.CatchAll); err != nil {
		return &UnknownError{address}
	}
	w.user(d.CatchAll, "", address)
	return nil
}

func (w *walk) user(name, detail, address string) {
	key := name + detailMark + detail
	if !w.seen[key] {
		w.seen[key] = true
		w.route.Users = append(w.route.Users, Target{User: name, Detail: detail, Address: address})
	}
}

func (w *walk) sink(s Sink, address string) {
	if !w.seen[address] {
		w.seen[address] = true
		w.route.sinks = append(w.route.sinks, sunk{s, address})
	}
}

func (w *walk) forward(address string) {
	if !w.seen[address] {
		w.seen[address] = true
		w.route.Forward = append(w.route.Forward, address)
	}
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
