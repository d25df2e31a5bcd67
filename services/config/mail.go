package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"

	"cairn/services/tomlfile"
	"cairn/store"
	"cairn/store/object"
)

const mailFile = "mail.toml"

// Mail is the file mail.toml: how mail comes and goes, whatever its domain. Shared: nobody
// changes it. Such as
//
//	host = "mail.example.org"
//	postmaster = "alice"
//	quota = "10GB"
//	dnsbl = ["zen.spamhaus.org"]
//	smarthost = "smtps://user@relay.example"
//
//	[quotas]
//	alice = "50GB"
type Mail struct {
	// Host is the name of this machine in the dialogues of SMTP, to which MX records lead and
	// which its address should have in the reverse DNS. Empty: the first domain's "mail.NAME", or localhost.
	Host string `toml:"host,omitempty"`
	// Postmaster is the user who gets what is sent to postmaster and abuse of each domain that
	// has no alias for them. Empty: the first administrator.
	Postmaster string `toml:"postmaster,omitempty"`
	// Quota is what each user's mail may take; 0: no bound. Quotas are those of single users.
	Quota  Size            `toml:"quota,omitempty"`
	Quotas map[string]Size `toml:"quotas,omitempty"`
	// Sealed are users whose mail is encrypted to their OpenPGP keys before it is kept, so that
	// nobody who has the repository can read it, and nobody here can search it.
	Sealed []string `toml:"sealed,omitempty"`
	// DNSBL are lists of addresses that send junk, asked of by DNS (RFC 5782).
	DNSBL []string `toml:"dnsbl,omitempty"`
	// Smarthost carries all that leaves: smtps://USER@HOST[:PORT] (TLS from the beginning) or
	// smtp://USER@HOST[:PORT] (STARTTLS is a must). The password is a secret: cairn mail smarthost.
	Smarthost string `toml:"smarthost,omitempty"`
}

// QuotaOf is what the mail of a user may take in bytes; 0: no bound.
func (m *Mail) QuotaOf(user string) int64 {
	if q, ok := m.Quotas[user]; ok {
		return int64(q)
	}
	return int64(m.Quota)
}

func (m *Mail) check() error {
	if m.Host != "" && !validHost(m.Host) {
		return fmt.Errorf("host: %q is not a host name in lower case", m.Host)
	}
	if m.Postmaster != "" {
		if err := checkUsers("postmaster", m.Postmaster); err != nil {
			return err
		}
	}
	for user := range m.Quotas {
		if err := checkUsers("quotas", user); err != nil {
			return err
		}
	}
	if err := checkUsers("sealed", m.Sealed...); err != nil {
		return err
	}
	for _, list := range m.DNSBL {
		if !validHost(list) {
			return fmt.Errorf("dnsbl: %q is not a host name in lower case", list)
		}
	}
	if m.Smarthost == "" {
		return nil
	}
	u, err := url.Parse(m.Smarthost)
	if err != nil || u.Host == "" || !slices.Contains([]string{"smtp", "smtps"}, u.Scheme) || u.Path != "" || u.RawQuery != "" {
		return fmt.Errorf("smarthost: %q is not smtps://USER@HOST or smtp://USER@HOST", m.Smarthost)
	}
	if _, secret := u.User.Password(); secret {
		return errors.New("smarthost: a password in the address would lie plain in git")
	}
	return nil
}

// Mail returns how mail comes and goes; where nothing is said, the zero Mail.
func (c *Config) Mail(ctx context.Context) (*Mail, error) {
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case s.mail.err != nil:
		return nil, fmt.Errorf("%s: %w: %w", mailFile, ErrRecord, s.mail.err)
	case s.mail.Mail == nil:
		return &Mail{}, nil
	}
	return s.mail.Mail, nil
}

// EditMail changes how mail comes and goes; f may run several times.
func (c *Config) EditMail(ctx context.Context, by object.Signature, what string, f func(*Mail) error) error {
	return c.update(ctx, by, what, func(tx *store.Tx) error {
		m, err := readMail(tx, false)
		if err == nil {
			err = f(m)
		}
		if err == nil {
			err = m.check()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", mailFile, err)
		}
		data, err := tomlfile.Encode(m)
		if err != nil {
			return err
		}
		return tx.Put(mailFile, data)
	})
}

// readMail reads the file; where there is none it is the zero Mail.
func readMail(t files, strict bool) (*Mail, error) {
	data, _, err := t.Blob(mailFile)
	if errors.Is(err, fs.ErrNotExist) {
		return new(Mail), nil
	}
	if err != nil {
		return nil, err
	}
	return decodeMail(data, strict)
}

func decodeMail(data []byte, strict bool) (*Mail, error) {
	m := new(Mail)
	if err := tomlfile.Decode(data, m, strict); err != nil {
		return nil, err
	}
	return m, m.check()
}
