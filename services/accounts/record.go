package accounts

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cairn/services/tomlfile"
	"cairn/store/object"
)

// A User is what is publicly known of somebody who may log in: the file
// users/<name>.toml without the hash of the password. Shared: nobody changes it.
type User struct {
	Name         string        `toml:"-"`
	DisplayName  string        `toml:"name,omitempty"`
	Addresses    []string      `toml:"addresses,omitempty"`    // e-mail addresses
	Admin        bool          `toml:"admin,omitempty"`        // may do everything
	Sites        bool          `toml:"sites,omitempty"`        // may make sites
	SSHKeys      []string      `toml:"ssh_keys,omitempty"`     // authorized_keys lines without options
	OpenPGPKeys  []string      `toml:"openpgp_keys,omitempty"` // armored public keys
	AppPasswords []AppPassword `toml:"app_password,omitempty"`
}

// Signature is how the user's name stands in commits. When is left zero, which
// the store takes as now.
func (u *User) Signature() object.Signature {
	s := object.Signature{Name: u.Name, Email: u.Name + "@localhost"}
	if u.DisplayName != "" {
		s.Name = u.DisplayName
	}
	if len(u.Addresses) > 0 {
		s.Email = u.Addresses[0]
	}
	return s
}

// An AppPassword is a generated password for one program or device.
type AppPassword struct {
	Name    string    `toml:"name"`
	Created time.Time `toml:"created"`
	Keys    string    `toml:"keys"` // RFC 5803, see scram.go
}

// A record is the whole file.
type record struct {
	User
	Password string `toml:"password,omitempty"` // PHC string of argon2id, see argon.go
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// ValidName reports whether a user may be called name: 1 to 32 of a–z, 0–9 and
// hyphen, not beginning with a hyphen.
func ValidName(name string) bool { return validName.MatchString(name) }

// decode reads a record. Keys it does not know are an error when strict; when
// reading what is there already they are left alone.
func decode(name string, data []byte, strict bool) (*record, error) {
	var r record
	if err := tomlfile.Decode(data, &r, strict); err != nil {
		return nil, err
	}
	r.Name = name
	return &r, r.check()
}

func (r *record) encode() ([]byte, error) {
	data, err := tomlfile.Encode(r)
	if err == nil {
		_, err = decode(r.Name, data, true)
	}
	return data, err
}

// check says what is wrong with a record on its own.
func (r *record) check() error {
	if !ValidName(r.Name) {
		return fmt.Errorf("%q cannot be a user's name: 1 to 32 of a-z, 0-9 and hyphen, not beginning with a hyphen", r.Name)
	}
	if !oneLine(r.DisplayName) {
		return errors.New("name: it holds control characters or < >")
	}
	for _, a := range r.Addresses {
		if local, domain, ok := strings.Cut(a, "@"); !ok || local == "" || domain == "" || !oneLine(a) || strings.ContainsAny(a, " \t") {
			return fmt.Errorf("addresses: %q is not an address", a)
		}
	}
	if r.Password != "" {
		if _, err := parsePHC(r.Password); err != nil {
			return fmt.Errorf("password: %w", err)
		}
	}
	for _, line := range r.SSHKeys {
		if _, err := ParseKey(line); err != nil {
			return fmt.Errorf("ssh_keys: %w", err)
		}
	}
	for _, armored := range r.OpenPGPKeys {
		if err := checkOpenPGP(armored); err != nil {
			return fmt.Errorf("openpgp_keys: %w", err)
		}
	}
	return r.checkAppPasswords()
}

func (r *record) checkAppPasswords() error {
	var names []string
	var salt []byte
	for _, p := range r.AppPasswords {
		if p.Name == "" || !oneLine(p.Name) {
			return fmt.Errorf("app_password: %q cannot be a name", p.Name)
		}
		if slices.Contains(names, p.Name) {
			return fmt.Errorf("app_password: there are two called %q", p.Name)
		}
		names = append(names, p.Name)
		k, err := parseScram(p.Keys)
		if err != nil {
			return fmt.Errorf("app_password %q: %w", p.Name, err)
		}
		if salt != nil && !bytes.Equal(salt, k.salt) {
			return fmt.Errorf("app_password %q: all of a user's must have the same salt", p.Name)
		}
		salt = k.salt
	}
	return nil
}

// oneLine reports whether s may stand in a commit's author line.
func oneLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '<' || r == '>' })
}
