package acme

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"cairn/libos"
	"cairn/net/certs"
)

// Directories of Let's Encrypt.
const (
	LetsEncrypt        = "https://acme-v02.api.letsencrypt.org/directory"
	LetsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"
)

// Options say what a Manager does.
type Options struct {
	// Net is where the authority is dialled, and the DNS server of DNS01.
	Net libos.Net
	// Directory is the authority's URL; empty means LetsEncrypt.
	Directory string
	// Roots are who may vouch for the authority's own web server; nil means the
	// system's, which crypto/x509 reads from the disk when it first needs them.
	Roots *x509.CertPool
	// Email is an address that the authority is told when the account is made, and
	// may write to; empty for none.
	Email string
	// Names are what certificates are wanted for; see CheckName. The first is for
	// clients that do not say which they want.
	Names []string
	// Storage keeps the account and the certificates.
	Storage Storage
	// Key returns the key for the certificates of a name, the same one at each renewal if it is to
	// stay. Nil: each certificate has a new one.
	Key func(name string) (*ecdsa.PrivateKey, error)

	// HTTP01 says that port 80 of each name leads to Handler, here or at a
	// replica.
	HTTP01 bool
	// TLSALPN01 says that port 443 of each name leads to a server with a
	// configuration by certs.Config, here or at a replica.
	TLSALPN01 bool
	// DNS01 is how TXT records are set, nil for not at all.
	DNS01 *DNS01

	// Settle is how long it takes until the other replicas have seen what was
	// stored. Zero is right when there are none.
	Settle time.Duration
	// Log is told what is got, and what is not, and why.
	Log *slog.Logger
}

// check completes o and returns what is wrong with it.
func (o *Options) check() error {
	if o.Directory == "" {
		o.Directory = LetsEncrypt
	}
	u, err := url.Parse(o.Directory)
	if err != nil {
		return fmt.Errorf("ACME directory: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" { // RFC 8555 §6.1
		return fmt.Errorf("ACME directory %q: an https URL is needed", o.Directory)
	}
	if !o.HTTP01 && !o.TLSALPN01 && o.DNS01 == nil {
		return errors.New("ACME needs a way to show that names lead here: port 80, port 443 or DNS updates")
	}
	if o.DNS01 != nil {
		if err := o.DNS01.check(); err != nil {
			return err
		}
	}
	o.Names, err = o.names(o.Names)
	return err
}

// names returns the canonical form of names, each once.
func (o *Options) names(names []string) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	for _, n := range names {
		c, err := CheckName(n)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(c, "*.") && o.DNS01 == nil {
			return nil, fmt.Errorf("certificate for %q: a name with an asterisk needs DNS updates", n)
		}
		if !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all, nil
}

// CheckName returns the canonical form of a name that an authority may give a
// certificate for: lower case, "xn--" for what is not ASCII. It is a DNS name of
// two labels at least, the first of which may be "*", and no IP address. Anything
// else is fs.ErrInvalid.
func CheckName(name string) (string, error) {
	host, wild := strings.CutPrefix(certs.CanonicalName(name), "*.")
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("certificate for %.253q: %w: %w", name, fs.ErrInvalid, err)
	}
	if why := unfit(ascii); why != "" {
		return "", fmt.Errorf("certificate for %.253q: %w: %s", name, fs.ErrInvalid, why)
	}
	if wild {
		ascii = "*." + ascii
	}
	return ascii, nil
}

// unfit says why there cannot be a certificate for a name that idna found
// well-formed, "" if there can.
func unfit(name string) string {
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	switch {
	case len(name) > 253:
		return "it is longer than 253 bytes"
	case len(labels) < 2:
		return "it has one label only"
	case strings.Trim(last, "0123456789") == "":
		return "it is an IP address"
	case last == "localhost", last == "invalid": // RFC 6761 §6.3, §6.4
		return "names under ." + last + " belong to nobody"
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 {
			return "a label is empty or longer than 63 bytes"
		}
	}
	return ""
}
