package shelf

import (
	"fmt"
	"strings"
	"unicode/utf8"

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
