package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// A Site is the file sites/<name>.toml: who may do what with a website and how
// it is reached. Shared: nobody changes it.
type Site struct {
	Name    string   `toml:"-"`
	Owner   string   `toml:"owner"`             // reads, writes; a user's name
	Writers []string `toml:"writers,omitempty"` // users who read and write
	Readers []string `toml:"readers,omitempty"` // users who read the source; Everyone: also without log-in

	// Private: the website itself is shown only to those who may read its
	// source, after a log-in.
	Private bool `toml:"private,omitempty"`

	Hosts []string `toml:"hosts,omitempty"` // host names besides the one that comes from the name

	// AllowForce lists the branches that may be rewritten and deleted, tags
	// as tags/NAME. In a pattern * stands for anything, slashes too. When the
	// list is absent (nil) it is every branch and tag but main.
	AllowForce []string `toml:"allow_force"`

	// Protect asks for a log-in below a path: users by path, Everyone for
	// whoever has an account.
	Protect map[string][]string `toml:"protect,omitempty"`

	Remote *Remote `toml:"remote,omitempty"` // nil: the site is pushed to
}

// A Remote is where the source of a site is that is kept elsewhere.
type Remote struct {
	URL     string        `toml:"url"`               // https, http or ssh
	Branch  string        `toml:"branch,omitempty"`  // there; empty: its HEAD
	Poll    time.Duration `toml:"poll,omitempty"`    // such as "5m"; 0: not polled
	Webhook bool          `toml:"webhook,omitempty"` // told by the remote when it has changed
}

// Everyone stands for every user in Readers and Protect.
const Everyone = "*"

// MinPoll is the shortest interval at which a remote is asked.
const MinPoll = 10 * time.Second

// Main is the branch of a site that is live.
const Main = "main"

// MayRead reports whether user, "" for nobody, may read the source.
func (s *Site) MayRead(user string) bool {
	return slices.Contains(s.Readers, Everyone) || s.MayWrite(user) || user != "" && slices.Contains(s.Readers, user)
}

// MayWrite reports whether user may push.
func (s *Site) MayWrite(user string) bool {
	return user != "" && (s.Owner == user || slices.Contains(s.Writers, user))
}

// MayForce reports whether a branch, or a tag as tags/NAME, may be rewritten
// and deleted.
func (s *Site) MayForce(branch string) bool {
	if s.AllowForce == nil {
		return branch != Main
	}
	return slices.ContainsFunc(s.AllowForce, func(pattern string) bool { return matches(pattern, branch) })
}

// matches compares name with a pattern in which * stands for any text.
func matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	name, ok := strings.CutPrefix(name, first)
	if !ok || !star {
		return ok && name == ""
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] { // the leftmost place is as good as any
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, last)
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Names under which URLs show something else than a site.
var reserved = []string{"accounts", "all", "archive", "config", "dav", "lists", "mail", "queue", "secrets"}

// ValidName reports whether a site may be called name: 1 to 32 of a–z, 0–9 and
// hyphen, not beginning with a hyphen, and not one of a few reserved words.
func ValidName(name string) bool {
	return validName.MatchString(name) && !slices.Contains(reserved, name)
}

// Bounds of one record. The TOML decoder's time and memory grow with the square
// of how deep dotted keys and inline tables go (64 KiB of them take a minute and
// 40 GB), so both are bounded before it runs; no record needs either.
const (
	maxRecord = 64 << 10 // bytes
	maxDots   = 64       // in a line
	maxBraces = 64       // in all
)

// decode reads a record. Keys it does not know are an error when strict; when
// reading what is there already they are left alone.
func decode(name string, data []byte, strict bool) (*Site, error) {
	if err := bounded(data); err != nil {
		return nil, err
	}
	var s Site
	meta, err := toml.Decode(string(data), &s)
	if err != nil {
		return nil, fmt.Errorf("not TOML: %w", err)
	}
	if strict && len(meta.Undecoded()) > 0 {
		return nil, fmt.Errorf("unknown key %q", meta.Undecoded()[0])
	}
	s.Name = name
	return &s, s.check()
}

// bounded refuses what would be dear to decode.
func bounded(data []byte) error {
	if len(data) > maxRecord {
		return fmt.Errorf("larger than %d bytes", maxRecord)
	}
	if n := bytes.Count(data, []byte("{")); n > maxBraces {
		return fmt.Errorf("%d braces, %d at most", n, maxBraces)
	}
	for line := range bytes.Lines(data) {
		if n := bytes.Count(line, []byte(".")); n > maxDots {
			return fmt.Errorf("a line with %d dots, %d at most", n, maxDots)
		}
	}
	return nil
}

func (s *Site) encode() ([]byte, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	_, err := decode(s.Name, b.Bytes(), true)
	return b.Bytes(), err
}

// check says what is wrong with a record on its own.
func (s *Site) check() error {
	if !ValidName(s.Name) {
		return fmt.Errorf("%q cannot be a site's name: 1 to 32 of a-z, 0-9 and hyphen, not beginning with a hyphen, and not a reserved word", s.Name)
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
