package shelf

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// forms are the ways in which a name may be written, the preferred one first.
var forms = [...]func(string) string{escape, escapeAll}

// plain says that escape leaves a name alone, of names that are easy to tell.
func plain(name string) bool {
	if name == "" || name[0] == '.' || name[len(name)-1] == '.' || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !asciiLetter(c) && !digit(c) && c != '-' && c != '_' && c != '.' && c != '@' && c != '=' {
			return false
		}
	}
	return !device(name)
}

func escape(name string) string {
	composed := norm.NFC.IsNormalString(name)
	last := len(name) - 1
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c < ' ' || c == 0x7f || strings.IndexByte(`"%*/:<>?\|`, c) >= 0 || c >= utf8.RuneSelf && !composed ||
			c == '.' && i == 0 || (c == '.' || c == ' ') && i == last || i == 0 && device(name) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapeAll escapes whatever file systems could confuse.
func escapeAll(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' && !(i == 0 && device(name)) || digit(c) || c == '-' || c == '_' || c == '.' && i > 0 && i < len(name)-1 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescape reads what either form has written, and more.
func unescape(file string) (string, bool) {
	if !strings.Contains(file, "%") {
		return file, true
	}
	var b strings.Builder
	for i := 0; i < len(file); i++ {
		if file[i] != '%' {
			b.WriteByte(file[i])
			continue
		}
		if i+2 >= len(file) || !hexDigit(file[i+1]) || !hexDigit(file[i+2]) {
			return "", false
		}
		b.WriteByte(unhex(file[i+1])<<4 | unhex(file[i+2]))
		i += 2
	}
	return b.String(), true
}

// device says that Windows takes a file of this name for a device.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	if len(stem) != 3 && len(stem) != 4 {
		return false
	}
	stem = strings.ToLower(stem)
	switch stem[:3] {
	case "con", "prn", "aux", "nul":
		return len(stem) == 3
	case "com", "lpt":
		return len(stem) == 4 && digit(stem[3])
	}
	return false
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool       { return c >= '0' && c <= '9' }
func hexDigit(c byte) bool    { return digit(c) || c >= 'A' && c <= 'F' }

// unhexLow reads a digit of the name of a folder of a fan-out.
func unhexLow(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c - 'a' + 10
}

func unhex(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c - 'A' + 10
}
