package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"cairn/services/tomlfile"
	"cairn/store"
	"cairn/store/object"
)

const domainDir = "domains"

// A Domain is the file domains/<domain>.toml: a domain whose mail is served here. Every user NAME
// has the address NAME@DOMAIN, unless an alias takes it. Shared: nobody changes it. Such as
//
//	catch_all = "alice"
//	dkim = ["c2026a", "c2026b"]
//	mta_sts = "testing"
//
//	[aliases]
//	info = ["alice", "bob"]
//	club = ["carol@elsewhere.example"]
type Domain struct {
	Name string `toml:"-"` // in lower case, xn--… where it is not ASCII
	// CatchAll is the user who gets what is sent to an address that nobody has.
	CatchAll string `toml:"catch_all,omitempty"`
	// Aliases are local parts in lower case, and who gets what is sent there: users' names, and
	// addresses.
	Aliases map[string][]string `toml:"aliases,omitempty"`
	// DKIM are the selectors of the keys that sign what leaves: dkim/<domain>/<selector> of the secrets.
	DKIM []string `toml:"dkim,omitempty"`
	// DKIMNext are those of keys that will sign once the DNS has them.
	DKIMNext []string `toml:"dkim_next,omitempty"`
	// MTASTS is the mode of the policy that is published for the domain (RFC 8461): testing,
	// enforce or none. Empty: none is published. MTASTSID changes with it.
	MTASTS   string `toml:"mta_sts,omitempty"`
	MTASTSID string `toml:"mta_sts_id,omitempty"`
}

// mostAliases bounds those of a domain, mostReceivers those of one alias.
const (
	mostAliases   = 1000
	mostReceivers = 100
)

func (d *Domain) check() error {
	if !ValidDomain(d.Name) {
		return fmt.Errorf("%q is not a domain in lower case (xn--… where it is not ASCII)", d.Name)
	}
	if d.CatchAll != "" {
		if err := checkUsers("catch_all", d.CatchAll); err != nil {
			return err
		}
	}
	if len(d.Aliases) > mostAliases {
		return fmt.Errorf("%d aliases, %d at most", len(d.Aliases), mostAliases)
	}
	for local, to := range d.Aliases {
		if local == "" || len(local) > 64 || local != strings.ToLower(local) || strings.ContainsAny(local, "@+ \t\r\n\x00") {
			return fmt.Errorf("aliases: %q is not what stands before the @ of an address, in lower case and without +", local)
		}
		if len(to) == 0 || len(to) > mostReceivers {
			return fmt.Errorf("aliases: %q leads to %d, and to 1 to %d it can", local, len(to), mostReceivers)
		}
		for _, r := range to {
			if !validReceiver(r) {
				return fmt.Errorf("aliases: %q leads to %q, which is neither a user's name nor an address", local, r)
			}
		}
	}
	for _, s := range slices.Concat(d.DKIM, d.DKIMNext) {
		if !validHost(s) {
			return fmt.Errorf("dkim: %q is not a selector", s)
		}
	}
	if !slices.Contains([]string{"", "none", "testing", "enforce"}, d.MTASTS) {
		return fmt.Errorf("mta_sts: %q is not testing, enforce or none", d.MTASTS)
	}
	if d.MTASTSID != "" && !validID(d.MTASTSID) {
		return fmt.Errorf("mta_sts_id: %q is not 1 to 32 letters and digits", d.MTASTSID)
	}
	return nil
}

func validReceiver(r string) bool {
	local, host, address := strings.Cut(r, "@")
	if !address {
		return validName.MatchString(r)
	}
	return local != "" && len(local) <= 64 && !strings.ContainsAny(local, " \t\r\n\x00<>") && validHost(host)
}

func validID(id string) bool {
	return len(id) <= 32 && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// ValidDomain reports whether mail can be served for a domain of that name: a host name of two labels or more, in
// lower case.
func ValidDomain(name string) bool { return validHost(name) && strings.Contains(name, ".") }

// Domain returns one domain; absent is fs.ErrNotExist, spoilt by hand ErrRecord.
func (c *Config) Domain(ctx context.Context, name string) (*Domain, error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := s.domains[name]
	if !ok {
		return nil, fmt.Errorf("domain %q: %w", name, fs.ErrNotExist)
	}
	if d.err != nil {
		return nil, fmt.Errorf("domain %q: %w: %w", name, ErrRecord, d.err)
	}
	return d.Domain, nil
}

// Domains returns all domains in the order of their names. A file that cannot be used,
// which no push and no method here makes, is an ErrRecord beside the others.
func (c *Config) Domains(ctx context.Context) ([]*Domain, error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var list []*Domain
	for _, name := range slices.Sorted(maps.Keys(s.domains)) {
		if d := s.domains[name]; d.err != nil {
			err = errors.Join(err, fmt.Errorf("domain %q: %w: %w", name, ErrRecord, d.err))
		} else {
			list = append(list, d.Domain)
		}
	}
	return list, err
}

// AddressesOf returns the addresses that a user has by name alone: NAME@DOMAIN of each domain whose aliases
// do not say otherwise. What cannot be read gives none.
func (c *Config) AddressesOf(ctx context.Context, user string) (list []string) {
	domains, _ := c.Domains(ctx)
	for _, d := range domains {
		if d.Aliases[user] == nil {
			list = append(list, user+"@"+d.Name)
		}
	}
	return list
}

// AddDomain adds a domain; fs.ErrExist when it is there.
func (c *Config) AddDomain(ctx context.Context, by object.Signature, d Domain) error {
	return c.update(ctx, by, "Add domain "+d.Name, func(tx *store.Tx) error {
		if _, err := tx.Lookup(domainFile(d.Name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("domain %q: %w", d.Name, fs.ErrExist))
		}
		return putDomain(tx, &d)
	})
}

// EditDomain changes a domain; f may run several times. Absent is fs.ErrNotExist.
func (c *Config) EditDomain(ctx context.Context, by object.Signature, name, what string, f func(*Domain) error) error {
	return c.update(ctx, by, what, func(tx *store.Tx) error {
		data, _, err := tx.Blob(domainFile(name))
		if err != nil {
			return fmt.Errorf("domain %q: %w", name, err)
		}
		d, err := decodeDomain(name, data, false)
		if err == nil {
			err = f(d)
		}
		if err != nil {
			return fmt.Errorf("domain %q: %w", name, err)
		}
		return putDomain(tx, d)
	})
}

// RemoveDomain ends that a domain is served; absent is fs.ErrNotExist. Mail that has come stays.
func (c *Config) RemoveDomain(ctx context.Context, by object.Signature, name string) error {
	return c.update(ctx, by, "Remove domain "+name, func(tx *store.Tx) error {
		if err := tx.Remove(domainFile(name)); err != nil {
			return fmt.Errorf("domain %q: %w", name, err)
		}
		return nil
	})
}

func putDomain(tx *store.Tx, d *Domain) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("domain %q: %w", d.Name, err)
	}
	data, err := tomlfile.Encode(d)
	if err != nil {
		return fmt.Errorf("domain %q: %w", d.Name, err)
	}
	return tx.Put(domainFile(d.Name), data)
}

func decodeDomain(name string, data []byte, strict bool) (*Domain, error) {
	d := new(Domain)
	if err := tomlfile.Decode(data, d, strict); err != nil {
		return nil, err
	}
	d.Name = name
	return d, d.check()
}

func domainFile(name string) string { return path.Join(domainDir, name+".toml") }

// domainName returns which domain e is the file of.
func domainName(e object.Entry) (string, bool) {
	name, ok := strings.CutSuffix(e.Name, ".toml")
	return name, ok && ValidDomain(name) && e.Mode.IsFile() && e.Mode != object.ModeSymlink
}

func strictDomain(t files, e object.Entry) error {
	name, ok := domainName(e)
	if !ok {
		return errors.New("not a file DOMAIN.toml, where DOMAIN is in lower case")
	}
	data, _, err := t.Blob(domainFile(name))
	if err != nil {
		return err
	}
	_, err = decodeDomain(name, data, true)
	return err
}
