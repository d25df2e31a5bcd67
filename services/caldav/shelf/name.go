package shelf

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"cairn/store/object"
)

// How a name that a client chose becomes the name of a file, and back
//
// Every byte that some file system cannot hold or takes for something else is
// written as % and two digits: control characters, "*/:<>?\| and % itself, a dot
// at the beginning, a dot or space at the end, the first letter of what Windows
// takes for a device, and whatever is not ASCII in a name that is not in
// normalization form C, because some file systems would change that. All else stays, so that
// most files are called as the client says.
//
// Clients tell names apart that file systems do not (case, normalization). A name
// that differs only so from one that is there is written with everything but
// a-z, 0-9, hyphen, underscore and dot escaped.
//
// Names of resources always end in .ics or .vcf on the branch. To one that does
// not by itself, "%.ics" is added, which no escaping makes.

// A NameError says why something cannot be called that.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string { return fmt.Sprintf("name %q %s", e.Name, e.Reason) }

// maxName is the longest name, in bytes, before and after escaping.
const maxName = object.MaxName

// FileName returns the name of the file or folder that holds what a client calls
// name. It refuses with a *NameError what is empty, "." or "..", not UTF-8, holds
// a slash or a control character, or is longer than 255 bytes once escaped.
func FileName(name string) (string, error) { return fileName(name, "", escape) }

// ResourceName is the inverse of FileName. ok is false for a file that no client
// could have named: one that begins with a dot, or that FileName would have
// called otherwise.
func ResourceName(file string) (name string, ok bool) { return resourceName(file, "") }

func fileName(name, ext string, escape func(string) string) (string, error) {
	if reason := wrong(name); reason != "" {
		return "", &NameError{name, reason}
	}
	file := escape(name)
	if !strings.HasSuffix(file, ext) {
		file += "%" + ext
	}
	if len(file) > maxName {
		return "", &NameError{name, "is too long"}
	}
	if err := object.CheckName(file); err != nil {
		return "", &NameError{name, "cannot be the name of a file"}
	}
	return file, nil
}

// wrong says what is wrong with a client's name.
func wrong(name string) string {
	switch {
	case name == "", name == ".", name == "..":
		return "is no name"
	case len(name) > maxName:
		return "is too long"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' }):
		return "holds a slash or a control character"
	}
	return ""
}

func resourceName(file, ext string) (name string, ok bool) {
	stem := file
	if ext != "" {
		if !strings.HasSuffix(file, ext) {
			return "", false
		}
		if short, added := strings.CutSuffix(file, "%"+ext); added {
			stem = short
		} else if plain(file) {
			return file, true
		}
	} else if plain(file) {
		return file, true
	}
	name, ok = unescape(stem)
	if !ok {
		return "", false
	}
	for _, form := range forms {
		if again, err := fileName(name, ext, form); err == nil && again == file {
			return name, true
		}
	}
	return "", false
}

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
