package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Source has certificates. Safe for concurrent use.
type Source interface {
	// GetCertificate returns the certificate for the name that the client asks
	// for; for a client that gives none, which is the empty name, the Source's
	// first. When it has none for that name the error is fs.ErrNotExist. The name
	// may be in upper case and is otherwise whatever the client sent.
	//
	// It runs in every handshake.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
}

// A Chain asks its Sources in turn; the first that has a certificate gives it. A
// Source that fails is passed over.
type Chain []Source

// GetCertificate implements Source. When no Source has the certificate, and one
// could not tell, the error is that one's.
func (c Chain) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	err := absent(hello.ServerName)
	for _, s := range c {
		cert, e := s.GetCertificate(hello)
		if e == nil {
			return cert, nil
		}
		if !errors.Is(e, fs.ErrNotExist) && errors.Is(err, fs.ErrNotExist) {
			err = e
		}
	}
	return nil, err
}

// Challenges implements Challenger for those of its Sources that do.
func (c Chain) Challenges() []string {
	var all []string
	for _, s := range c {
		if s, ok := s.(Challenger); ok {
			all = append(all, s.Challenges()...)
		}
	}
	return all
}

// A Challenger is a Source that proves to somebody in a handshake that it has a
// name, such as to an ACME server (RFC 8737). Config lets a client that offers
// one of these application protocols, and nothing else, have the Source's
// answer. The application that then reads from such a connection finds nothing.
type Challenger interface {
	Source
	Challenges() []string
}

// CanonicalName returns name as certificates have it: in lower case, without the
// dot of the root.
func CanonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// Matches reports whether a certificate for pattern, a name or "*." and a name,
// is one for name: the asterisk stands for one label (RFC 9525 §6.3). Both are
// canonical.
func Matches(pattern, name string) bool {
	if parent, ok := strings.CutPrefix(pattern, "*."); ok {
		label, rest, _ := strings.Cut(name, ".")
		return label != "" && rest != "" && rest == parent
	}
	return pattern == name
}

// has reports whether one of names, of which the empty name means the first, is
// or covers name.
func has(names []string, name string) bool {
	name = CanonicalName(name)
	return name == "" || slices.ContainsFunc(names, func(p string) bool { return Matches(p, name) })
}

func absent(name string) error {
	if name == "" {
		return fmt.Errorf("a certificate for a client that gives no name: %w", fs.ErrNotExist)
	}
	return fmt.Errorf("a certificate for %.253q: %w", name, fs.ErrNotExist)
}
