package gitwire

import "strings"

// A gitCommand is what a client asks an SSH server to run.
type gitCommand struct {
	write bool   // git-receive-pack, not git-upload-pack
	repo  string // without slashes around it
}

// parseGitCommand parses what git sends: git-upload-pack 'path', or the same
// with "git " in the place of "git-".
func parseGitCommand(line string) (gitCommand, bool) {
	verb, rest, ok := strings.Cut(line, " ")
	if verb == "git" {
		verb, rest, ok = strings.Cut(rest, " ")
		verb = "git-" + verb
	}
	if !ok || verb != "git-upload-pack" && verb != "git-receive-pack" {
		return gitCommand{}, false
	}
	path, ok := dequote(strings.TrimSpace(rest))
	path = strings.Trim(path, "/")
	if !ok || path == "" || len(path) > 1000 {
		return gitCommand{}, false
	}
	return gitCommand{write: verb == "git-receive-pack", repo: path}, true
}

// dequote undoes the quoting of one shell word as git does it: between single
// quotes, with ' and ! outside of them behind a backslash. A word that
// needs no quotes may come without.
func dequote(s string) (string, bool) {
	var word strings.Builder
	for len(s) > 0 {
		switch c := s[0]; {
		case c == '\'':
			inside, rest, ok := strings.Cut(s[1:], "'")
			if !ok {
				return "", false
			}
			word.WriteString(inside)
			s = rest
		case c == '\\' && len(s) > 1 && (s[1] == '\'' || s[1] == '!'):
			word.WriteByte(s[1])
			s = s[2:]
		case plainInShell(c):
			word.WriteByte(c)
			s = s[1:]
		default:
			return "", false
		}
	}
	return word.String(), true
}

// plainInShell reports whether a character means itself to a shell.
func plainInShell(c byte) bool {
	return c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("/._-+@%:,=", c) >= 0
}

// protocolVersion reads GIT_PROTOCOL, keys and values between colons: the
// highest version asked for that there is.
func protocolVersion(env string) int {
	proto := 0
	for key := range strings.SplitSeq(cut(env, 1000), ":") {
		switch key {
		case "version=1":
			proto = max(proto, 1)
		case "version=2":
			proto = 2
		}
	}
	return proto
}
