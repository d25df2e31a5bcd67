package mailbox

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"cairn/store/object"

	"golang.org/x/text/unicode/norm"
)

// How a mailbox's name becomes a path, and back
//
// Each level is a folder. Every byte that some file system cannot hold or takes for something else is written
// as % and two digits: "%*:<>?\|, a dot at the beginning, a dot or space at the end, and the first letter of what
// Windows takes for a device, of what some file system takes for .git, and of what means something else in a mailbox's
// folder, such as 12xxxx or mailbox.toml.

// Inbox is the mailbox that everybody has.
const Inbox = "INBOX"

const (
	maxName  = 1000 // bytes of a mailbox's name
	maxDepth = 20   // levels of it
)

// Canonical returns the one way in which a mailbox's name is written: normalization form C, INBOX in
// capitals, no slash at the end. A name that no mailbox can have is a *NameError.
func Canonical(name string) (string, error) {
	wrong := func(format string, args ...any) (string, error) {
		return "", &NameError{name, fmt.Sprintf(format, args...)}
	}
	if len(name) > maxName {
		return wrong("is longer than %d bytes", maxName)
	}
	if !utf8.ValidString(name) {
		return wrong("is not UTF-8")
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return wrong("holds a control character")
	}
	levels := strings.Split(strings.TrimSuffix(norm.NFC.String(name), "/"), "/")
	if len(levels) > maxDepth {
		return wrong("has more than %d levels", maxDepth)
	}
	if strings.EqualFold(levels[0], Inbox) {
		levels[0] = Inbox
	}
	for _, level := range levels {
		switch {
		case level == "":
			return wrong("has an empty level")
		case object.CheckName(folderName(level)) != nil:
			return wrong("has a level that is too long, or that cannot be the name of a folder")
		}
	}
	return strings.Join(levels, "/"), nil
}

// folderName is the name of the folder of one level of a canonical name.
func folderName(level string) string {
	special := meansElse(level) || object.CheckName(level) != nil || device(level)
	var b strings.Builder
	for i := range len(level) {
		c := level[i]
		last := i == len(level)-1
		if strings.IndexByte(`"%*:<>?\|`, c) >= 0 || c == '.' && i == 0 || (c == '.' || c == ' ') && last || i == 0 && special && c < utf8.RuneSelf {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// meansElse says that in a mailbox's folder a name is not that of a mailbox below.
func meansElse(name string) bool {
	_, top := parseTop(name)
	return top || strings.EqualFold(name, recordFile)
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
		return len(stem) == 4 && stem[3] >= '0' && stem[3] <= '9'
	}
	return false
}

// levelName is the inverse of folderName; ok is false for a folder that folderName would call otherwise.
func levelName(folder string) (level string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(folder); i++ {
		c := folder[i]
		if c == '%' {
			if i+2 >= len(folder) {
				return "", false
			}
			high, ok1 := unhex(folder[i+1])
			low, ok2 := unhex(folder[i+2])
			if !ok1 || !ok2 {
				return "", false
			}
			c = high<<4 | low
			i += 2
		}
		b.WriteByte(c)
	}
	level = b.String()
	if strings.Contains(level, "/") || folderName(level) != folder {
		return "", false
	}
	below := "x/" + level // not INBOX
	again, err := Canonical(below)
	return level, err == nil && again == below
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// dirOf is the folder of a mailbox with a canonical name.
func dirOf(name string) string {
	dir := boxesDir
	for level := range strings.SplitSeq(name, "/") {
		dir += "/" + folderName(level)
	}
	return dir
}
