package object

import (
	"bytes"
	"net/url"
	"strings"
)

// A Special is a kind of blob that git reads itself wherever it is checked out, so
// that its content can do harm; or several kinds, as a set of bits.
type Special int

// The kinds.
const (
	Gitmodules    Special = 1 << iota // its URLs and paths become arguments of commands
	Gitattributes                     // old versions of git overflow on it
)

// CheckSpecial returns a *CheckError when git fsck --strict refuses the object that
// a tree has as these kinds.
func CheckSpecial(kinds Special, o Object) error {
	id := ""
	if kinds&Gitmodules != 0 {
		id = "gitmodulesBlob"
		if o.Type == TypeBlob {
			id = checkGitmodules(o.Data)
		}
	}
	if kinds&Gitattributes != 0 && id == "" {
		id = "gitattributesBlob"
		if o.Type == TypeBlob {
			id = checkGitattributes(o.Data)
		}
	}
	return checkError(o.Type, id)
}

// maxAttributeLine is the length, in bytes, from which git ignores a line.
const maxAttributeLine = 2048

func checkGitattributes(data []byte) string {
	data, _, _ = bytes.Cut(data, []byte{0})
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) >= maxAttributeLine {
			return "gitattributesLineLength"
		}
	}
	return ""
}

func checkGitmodules(data []byte) (id string) {
	parseConfig(data, func(v configValue) bool {
		if v.section != "submodule" || !v.hasSubsection {
			return true
		}
		switch {
		case !validSubmodule(v.subsection):
			id = "gitmodulesName"
		case v.key == "url" && !validSubmoduleURL(v.value):
			id = "gitmodulesUrl"
		case v.key == "path" && strings.HasPrefix(v.value, "-"):
			id = "gitmodulesPath"
		case v.key == "update" && strings.HasPrefix(v.value, "!"):
			id = "gitmodulesUpdate"
		}
		return id == ""
	})
	return id
}

// validSubmodule refuses names that lead out of .git/modules.
func validSubmodule(name string) bool {
	if name == "" {
		return false
	}
	for element := range strings.FieldsFuncSeq(name, func(c rune) bool { return c == '/' || c == '\\' }) {
		if element == ".." {
			return false
		}
	}
	return true
}

// validSubmoduleURL refuses options, line feeds that a credential helper would take
// for the next field (CVE-2020-5260), and relative URLs that change the host (CVE-2020-11008).
func validSubmoduleURL(s string) bool {
	switch {
	case strings.HasPrefix(s, "-"):
		return false
	case strings.HasPrefix(s, "./"), strings.HasPrefix(s, "../"), strings.HasPrefix(s, "git://"):
		return !strings.Contains(decodePercent(s), "\n") && !leavesRoot(s)
	}
	for _, scheme := range []string{"http", "https", "ftp", "ftps"} {
		if rest, ok := strings.CutPrefix(s, scheme+"::"); ok {
			return validCurlURL(rest)
		}
		if strings.HasPrefix(s, scheme+"://") {
			return validCurlURL(s)
		}
	}
	return true
}

func validCurlURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && !strings.Contains(decodePercent(s), "\n")
}

func leavesRoot(s string) bool {
	up := false
	for {
		if rest, ok := strings.CutPrefix(s, "../"); ok {
			s, up = rest, true
		} else if rest, ok := strings.CutPrefix(s, "./"); ok {
			s = rest
		} else {
			return up && s != "" && (s[0] == ':' || s[0] == '/')
		}
	}
}

// decodePercent decodes what can be decoded and leaves the rest.
func decodePercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
