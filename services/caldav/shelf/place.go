package shelf

import (
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold maps names to one that some file system confuses.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// confusable says that some file system takes two names for one.
func confusable(a, b string) bool {
	if ascii(a) && ascii(b) {
		return len(a) == len(b) && strings.EqualFold(a, b)
	}
	return fold(a) == fold(b)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fanOf returns the folder of a fan-out in which a resource belongs: two digits
// of the SHA-256 of its name, folded, so that names that could be confused meet
// in one folder.
func fanOf(name string) string { return hexByte(fanByte(name)) }

func fanByte(name string) byte { return sha256.Sum256([]byte(fold(name)))[0] }

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// isFan says that a folder is called as those of a fan-out are.
func isFan(dir string) bool {
	low := func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' }
	return len(dir) == 2 && low(dir[0]) && low(dir[1])
}

// What lies where no client's name would lead is called ~ and its path below the
// collection, with ~ for the slashes. No client can make such a name.

const handmade = "~"

var (
	handmadeEscaper   = strings.NewReplacer("%", "%25", "~", "%7E", "/", "~")
	handmadeUnescaper = strings.NewReplacer("%25", "%", "%7E", "~", "~", "/")
)

func handmadeName(rel string) string { return handmade + handmadeEscaper.Replace(rel) }

// handmadePath is the inverse of handmadeName.
func handmadePath(name string) (rel string, ok bool) {
	rest, ok := strings.CutPrefix(name, handmade)
	if !ok {
		return "", false
	}
	rel = handmadeUnescaper.Replace(rest)
	return rel, handmadeName(rel) == name
}
