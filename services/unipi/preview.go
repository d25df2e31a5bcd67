package unipi

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxLabel is the length of a DNS label in bytes (RFC 1035, section 2.3.4).
const maxLabel = 63

// PreviewLabel returns the DNS label under which a branch is previewed, at most
// limit bytes long (63, less what is joined to it): the branch's name where that is a valid label, else
// a slug of it and six hex digits of the name's SHA-256.
func PreviewLabel(branch string, limit int) string {
	if validLabel(branch) && len(branch) <= limit {
		return branch
	}
	sum := sha256.Sum256([]byte(branch))
	suffix := hex.EncodeToString(sum[:3])
	var b strings.Builder
	dash := false
	for _, c := range []byte(strings.ToLower(branch)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteByte(c)
			dash = false
		} else {
			dash = true
		}
		if b.Len() >= limit-len(suffix)-2 {
			break
		}
	}
	slug := strings.TrimRight(b.String()[:min(b.Len(), max(limit-len(suffix)-1, 0))], "-")
	if slug == "" {
		return "b-" + suffix
	}
	return slug + "-" + suffix
}

// looksLikeSlug reports whether a label ends like those that PreviewLabel makes
// of names that are none.
func looksLikeSlug(label string) bool {
	i := strings.LastIndexByte(label, '-')
	if i < 0 || len(label)-i != 7 {
		return false
	}
	for _, c := range []byte(label[i+1:]) {
		if hexValue(c) < 0 {
			return false
		}
	}
	return true
}

// validLabel reports whether s can be a DNS label as it stands: lower-case
// letters, digits and inner dashes, and no "--", which parts branch from site
// and marks names in punycode.
func validLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
