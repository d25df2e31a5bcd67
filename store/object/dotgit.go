package object

import (
	"strings"
	"unicode/utf8"
)

// A disguised name is one that git gives a meaning, and the beginning of the short
// name that NTFS makes of it when the usual short names are taken.
type disguised struct {
	name  string // without the dot
	short string
}

var (
	dotGit           = disguised{"git", ""}
	dotGitmodules    = disguised{"gitmodules", "gi7eba"}
	dotGitattributes = disguised{"gitattributes", "gi7d29"}
)

// isDotgit says whether a file system somewhere takes the name for .git: in any
// case, with code points that HFS+ ignores, as an NTFS short name or stream,
// with dots and spaces after it, or behind a backslash.
func isDotgit(name string) bool {
	return dotGit.onHFS(name) || anyAfterBackslash(name, isNTFSDotgit)
}

// isDotgitmodules says the same of .gitmodules.
func isDotgitmodules(name string) bool {
	return dotGitmodules.onHFS(name) || anyAfterBackslash(name, dotGitmodules.onNTFS)
}

// isDotgitattributes says the same of .gitattributes, as git does not behind a backslash.
func isDotgitattributes(name string) bool {
	return dotGitattributes.onHFS(name) || dotGitattributes.onNTFS(name)
}

func anyAfterBackslash(name string, is func(string) bool) bool {
	for {
		if is(name) {
			return true
		}
		i := strings.IndexByte(name, '\\')
		if i < 0 {
			return false
		}
		name = name[i+1:]
	}
}

// onHFS says whether HFS+ takes name for this one. It folds case only for ASCII,
// which is enough: as git does.
func (s disguised) onHFS(name string) bool {
	c, name := nextHFS(name)
	if c != '.' {
		return false
	}
	for i := range len(s.name) {
		c, name = nextHFS(name)
		if c > 127 || lower(byte(c)) != s.name[i] {
			return false
		}
	}
	c, _ = nextHFS(name)
	return c == 0 || c == '/'
}

// nextHFS returns the next code point that HFS+ does not ignore; 0 at the
// end and at what is not UTF-8.
func nextHFS(s string) (rune, string) {
	for s != "" {
		c, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case c == utf8.RuneError && size == 1, c == 0xfffe, c == 0xffff:
			return 0, ""
		case c >= 0x200c && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x206a && c <= 0x206f, c == 0xfeff:
			continue
		}
		return c, s
	}
	return 0, ""
}

// isNTFSDotgit knows .git and git~1, which NTFS makes of it because git creates
// .git first.
func isNTFSDotgit(name string) bool {
	rest, ok := cutFold(name, ".git")
	if !ok {
		rest, ok = cutFold(name, "git~1")
	}
	return ok && endsOnNTFS(rest, true)
}

// onNTFS knows the name itself, its regular short names (gitmod~1 to ~4) and
// the fall-back ones (a hash, six characters with the tilde and digits).
func (s disguised) onNTFS(name string) bool {
	if rest, ok := cutFold(name, "."+s.name); ok {
		return endsOnNTFS(rest, false)
	}
	if rest, ok := cutFold(name, s.name[:6]+"~"); ok && rest != "" && rest[0] >= '1' && rest[0] <= '4' {
		return endsOnNTFS(rest[1:], false)
	}
	if len(name) < 8 {
		return false
	}
	tilde := strings.IndexByte(name[:7], '~')
	if tilde < 0 || tilde > 6 || !strings.EqualFold(name[:tilde], s.short[:tilde]) {
		return false
	}
	for i, c := range []byte(name[tilde+1 : 8]) {
		if c < '0' || c > '9' || i == 0 && c == '0' {
			return false
		}
	}
	return endsOnNTFS(name[8:], false)
}

// endsOnNTFS says whether NTFS ignores the rest of a name: dots and spaces
// up to the end or a stream's name.
func endsOnNTFS(rest string, slash bool) bool {
	rest = strings.TrimLeft(rest, ". ")
	return rest == "" || rest[0] == ':' || slash && (rest[0] == '/' || rest[0] == '\\')
}

// cutFold is strings.CutPrefix without regard to ASCII case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) {
		return s, false
	}
	for i := range len(prefix) {
		if lower(s[i]) != prefix[i] {
			return s, false
		}
	}
	return s[len(prefix):], true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
