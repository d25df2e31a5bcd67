package config

import (
	"slices"
	"strings"
	"time"
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
