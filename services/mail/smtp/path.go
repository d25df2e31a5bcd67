package smtp

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

const (
	maxAddress = 254 // bytes: a path of RFC 5321 §4.5.3.1.3 without its brackets
	maxDomain  = 255
)

// cutPath reads the path at the beginning of s, such as <alice@example.org>, and returns its address: as
// it was given, less a source route and needless quotes. <> is "". What follows it are the parameters.
func cutPath(s string) (address, params string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " "), "<")
	if !ok {
		return "", "", false
	}
	if strings.HasPrefix(s, "@") { // a source route means nothing (RFC 5321 §4.1.1.3)
		_, rest, found := strings.Cut(s, ":")
		if !found {
			return "", "", false
		}
		s = rest
	}
	local, rest, ok := cutLocal(s)
	if !ok {
		return "", "", false
	}
	domain := ""
	if after, has := strings.CutPrefix(rest, "@"); has {
		end := strings.IndexByte(after, '>')
		if end < 0 || local == "" || !validDomain(after[:end]) {
			return "", "", false
		}
		domain, rest = after[:end], after[end:]
		local += "@"
	}
	params, ok = strings.CutPrefix(rest, ">")
	if !ok || params != "" && params[0] != ' ' || len(local)+len(domain) > maxAddress {
		return "", "", false
	}
	return local + domain, params, true
}

// cutLocal reads the local part at the beginning of s (RFC 5321 §4.1.2, RFC 6531 §3.3), in
// quotes where it needs them.
func cutLocal(s string) (local, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && !isAtom(r) })
		if i < 0 {
			return "", "", false
		}
		return s[:i], s[i:], i == 0 || validDots(s[:i])
	}
	var plain strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return quoteLocal(plain.String()), s[i+1:], plain.Len() > 0
		case c == '\\':
			if i++; i == len(s) || s[i] < ' ' || s[i] > '~' {
				return "", "", false
			}
			plain.WriteByte(s[i])
		case c < ' ' || c == 0x7f:
			return "", "", false
		default:
			plain.WriteByte(c)
		}
	}
	return "", "", false
}

// quoteLocal puts quotes around a local part that needs them.
func quoteLocal(plain string) string {
	if validDots(plain) && strings.IndexFunc(plain, func(r rune) bool { return r != '.' && !isAtom(r) }) < 0 {
		return plain
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain) + `"`
}

func validDots(s string) bool {
	return s != "" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// isAtom reports whether r is atext (RFC 5322 §3.2.3, RFC 6532 §3.2). Bytes that are not UTF-8 are not.
func isAtom(r rune) bool {
	return r > 0x7f && r != utf8.RuneError || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' ||
		r < 0x7f && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// validDomain accepts a domain name, also with an underscore and in other scripts, and an
// address in brackets (RFC 5321 §4.1.3).
func validDomain(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		_, valid := literal(strings.TrimSuffix(inner, "]"))
		return valid && strings.HasSuffix(inner, "]")
	}
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > maxDomain || !utf8.ValidString(s) {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 && !isUTF8(label) || strings.IndexFunc(label, notInDomain) >= 0 {
			return false
		}
	}
	return true
}

func notInDomain(r rune) bool {
	return r < 0x80 && r != '-' && r != '_' && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
}

// literal reads an address as it stands in brackets.
func literal(s string) (netip.Addr, bool) {
	if v6, ok := cutPrefixFold(s, "IPv6:"); ok {
		a, err := netip.ParseAddr(v6)
		return a, err == nil && a.Is6() && a.Zone() == ""
	}
	a, err := netip.ParseAddr(s)
	return a, err == nil && a.Is4()
}

// isUTF8 reports whether s has characters beyond ASCII.
func isUTF8(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
