package object

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxName is the longest name, in bytes, that we write into a tree: the longest
// that common file systems can check out.
const MaxName = 255

// A NameError says why a name may not be written into a tree.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string {
	name := e.Name
	if len(name) > 64 {
		name = name[:64] + "…"
	}
	return "name " + strconv.Quote(name) + " " + e.Reason
}

// CheckName returns a *NameError when name may not be the name of a tree entry that
// we write: empty, ".", "..", with a slash or NUL, longer than MaxName, not UTF-8, or
// something that a file system somewhere takes for .git.
func CheckName(name string) error {
	if reason := badName(name); reason != "" {
		return &NameError{name, reason}
	}
	return nil
}

func badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is not a name"
	case len(name) > MaxName:
		return "is longer than 255 bytes"
	case strings.IndexByte(name, '/') >= 0:
		return "holds a slash"
	case strings.IndexByte(name, 0) >= 0:
		return "holds a NUL"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case isDotgit(name):
		return "would be taken for .git"
	}
	return ""
}
