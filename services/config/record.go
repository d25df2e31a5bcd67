package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cairn/services/tomlfile"
)

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Names under which URLs show something else than a site.
var reserved = []string{"accounts", "all", "archive", "config", "dav", "lists", "mail", "queue", "secrets"}

// ValidName reports whether a site may be called name: 1 to 32 of a–z, 0–9 and
// hyphen, not beginning or ending with a hyphen, and not one of a few reserved words.
// Two hyphens in a row part a preview from its site in a host name, so a name that has
// them could take over another site's preview.
func ValidName(name string) bool {
	return validName.MatchString(name) && !slices.Contains(reserved, name) &&
		!strings.Contains(name, "--") && !strings.HasSuffix(name, "-")
}

// decode reads a record. Keys it does not know are an error when strict; when
// reading what is there already they are left alone.
func decode(name string, data []byte, strict bool) (*Site, error) {
	var s Site
	if err := tomlfile.Decode(data, &s, strict); err != nil {
		return nil, err
	}
	s.Name = name
	return &s, s.check()
}

func (s *Site) encode() ([]byte, error) {
	data, err := tomlfile.Encode(s)
	if err == nil {
		_, err = decode(s.Name, data, true)
	}
	return data, err
}

// check says what is wrong with a record on its own.
func (s *Site) check() error {
	if !ValidName(s.Name) {
		return fmt.Errorf("%q cannot be a site's name: 1 to 32 of a-z, 0-9 and single hyphens inside, and not a reserved word", s.Name)
	}
	if err := checkUsers("owner", s.Owner); err != nil {
		return err
	}
	if err := checkUsers("writers", s.Writers...); err != nil {
		return err
	}
	for _, r := range s.Readers {
		if r == Everyone && s.Private {
			return errors.New(`readers: "*" lets everybody read what private hides: take one of them away`)
		}
		if r != Everyone {
			if err := checkUsers("readers", r); err != nil {
				return err
			}
		}
	}
	for i, h := range s.Hosts {
		if !validHost(h) {
			return fmt.Errorf("hosts: %q is not a host name in lower case (xn--… where it is not ASCII)", h)
		}
		if slices.Contains(s.Hosts[:i], h) {
			return fmt.Errorf("hosts: %q is there twice", h)
		}
	}
	if err := s.checkProtect(); err != nil {
		return err
	}
	return s.Remote.check()
}

func (s *Site) checkProtect() error {
	for path, users := range s.Protect {
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("protect: the path %q does not begin with /", path)
		}
		for _, u := range users {
			if u != Everyone {
				if err := checkUsers("protect", u); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *Remote) check() error {
	if r == nil {
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"https", "http", "ssh"}, u.Scheme) {
		return fmt.Errorf("remote: %q is not an address that begins with https://, http:// or ssh://", r.URL)
	}
	if _, secret := u.User.Password(); secret {
		return errors.New("remote: a password in the address would lie plain in git")
	}
	if r.Poll != 0 && r.Poll < MinPoll {
		return fmt.Errorf("remote: poll is %v, at least %v", r.Poll, MinPoll)
	}
	return nil
}

func checkUsers(key string, names ...string) error {
	for _, n := range names {
		if !validName.MatchString(n) {
			return fmt.Errorf("%s: %q cannot be a user's name", key, n)
		}
	}
	return nil
}

var validLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// validHost accepts names as RFC 1123 §2.1 has them, in lower case.
func validHost(h string) bool {
	for label := range strings.SplitSeq(h, ".") {
		if !validLabel.MatchString(label) {
			return false
		}
	}
	return len(h) <= 253
}
