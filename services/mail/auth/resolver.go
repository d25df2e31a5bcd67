package auth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"

	"golang.org/x/net/idna"
)

// MaxQuestions is how often the DNS is asked for one message, at most.
const MaxQuestions = 250

// maxTXT bounds a TXT record, in bytes; that of an RSA key of 8,192 bits has 1,400.
const maxTXT = 16 << 10

// A Resolver asks the DNS; *net.Resolver is one. An error that leaves open whether
// there is an answer is not a *net.DNSError with IsNotFound.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// asker asks on behalf of one message: only for what can be a name, and not for ever.
// Its errors are always *net.DNSError: not found, temporary, or else permanent.
type asker struct {
	resolver Resolver
	left     atomic.Int32
}

func newAsker(r Resolver, questions int32) *asker {
	a := &asker{resolver: r}
	a.left.Store(questions)
	return a
}

// admit says under which name to ask: with the last dot, so that no resolver tries the
// name within domains of its own.
func (a *asker) admit(name string) (string, error) {
	ascii, ok := hostname(name)
	if !ok {
		return "", &net.DNSError{Err: "not a domain name", Name: name, IsNotFound: true}
	}
	if a.left.Add(-1) < 0 {
		return "", &net.DNSError{Err: "too many DNS questions for one message", Name: name}
	}
	return ascii + ".", nil
}

func (a *asker) LookupTXT(ctx context.Context, name string) ([]string, error) {
	name, err := a.admit(name)
	if err != nil {
		return nil, err
	}
	all, err := a.resolver.LookupTXT(ctx, name)
	if err != nil {
		return nil, sorted(err, name)
	}
	for _, s := range all {
		if len(s) > maxTXT {
			return nil, &net.DNSError{Err: "TXT record is too long", Name: strings.TrimSuffix(name, ".")}
		}
	}
	return all, nil
}

func (a *asker) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	name, err := a.admit(name)
	if err != nil {
		return nil, err
	}
	all, err := a.resolver.LookupMX(ctx, name)
	return all, sorted(err, name)
}

func (a *asker) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	host, err := a.admit(host)
	if err != nil {
		return nil, err
	}
	all, err := a.resolver.LookupNetIP(ctx, network, host)
	return all, sorted(err, host)
}

func (a *asker) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if a.left.Add(-1) < 0 {
		return nil, &net.DNSError{Err: "too many DNS questions for one message", Name: addr}
	}
	all, err := a.resolver.LookupAddr(ctx, addr)
	return all, sorted(err, addr)
}

// sorted makes of a resolver's error a *net.DNSError that says whether the name is not
// there or that could not be found out, and no more: it will stand in messages, and
// where we ask is nobody's business.
func sorted(err error, name string) error {
	if err == nil {
		return nil
	}
	name = strings.TrimSuffix(name, ".")
	if notFound(err) {
		return &net.DNSError{UnwrapErr: err, Err: "no such name or record", Name: name, IsNotFound: true}
	}
	return &net.DNSError{UnwrapErr: err, Err: "the DNS does not answer", Name: name, IsTemporary: true}
}

func notFound(err error) bool {
	e := (*net.DNSError)(nil)
	return errors.As(err, &e) && e.IsNotFound
}

// errorVerdict says what an asker's error means for a check for which it is one that
// there is no such name.
func errorVerdict(err error) Verdict {
	if e := (*net.DNSError)(nil); errors.As(err, &e) && e.Temporary() {
		return TempError
	}
	return PermError
}

// hostname returns a domain name as the DNS knows it: in lower case, without a
// last dot, other scripts as A-labels. It is not ok for what no DNS can hold.
func hostname(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !isASCII(name) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		name = ascii
	}
	if name == "" || len(name) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return "", false
		}
	}
	return name, true
}

func notInLabel(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
