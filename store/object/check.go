package object

import (
	"bytes"
	"strings"
)

// A CheckError says what git fsck --strict refuses an object for.
type CheckError struct {
	Type Type
	ID   string // git's name of the problem (git-fsck(1), fsck.<msg-id>), such as treeNotSorted
}

func (e *CheckError) Error() string { return e.Type.String() + ": " + e.ID }

// Check returns a *CheckError for an object that a repository with
// receive.fsckObjects refuses, which is what git fsck --strict calls an error. Of
// several problems it names one. Blobs are always fine.
func Check(t Type, data []byte) error {
	id := ""
	switch t {
	case TypeTree:
		id = checkTree(data)
	case TypeCommit:
		id = checkCommit(data)
	case TypeTag:
		id = checkTag(data)
	case TypeBlob:
	default:
		id = "unknownType"
	}
	if id != "" {
		return &CheckError{t, id}
	}
	return nil
}

// maxPath is where git fsck begins to speak of a largePathname.
const maxPath = 4096

func checkTree(data []byte) string {
	entries, err := ParseTree(data)
	if err != nil {
		return "badTree"
	}
	for i := range entries {
		e := &entries[i]
		if id := checkEntry(e); id != "" {
			return id
		}
		// The mode of an entry begins where the one before it ends.
		if data[0] == '0' {
			return "zeroPaddedFilemode"
		}
		data = data[bytes.IndexByte(data, 0)+1+len(Zero):]
	}
	return checkOrder(entries)
}

func checkEntry(e *Entry) string {
	switch {
	case e.Hash == Zero:
		return "nullSha1"
	case strings.IndexByte(e.Name, '/') >= 0:
		return "fullPathname"
	case e.Name == ".":
		return "hasDot"
	case e.Name == "..":
		return "hasDotdot"
	case len(e.Name) > maxPath:
		return "largePathname"
	case isDotgit(e.Name):
		return "hasDotgit"
	case isSymlink(e.Mode) && isDotgitmodules(e.Name):
		return "gitmodulesSymlink"
	}
	return ""
}

func isSymlink(m Mode) bool { return m&0o170000 == ModeSymlink }
func isDir(m Mode) bool     { return m&0o170000 == ModeDir }

// checkOrder looks for entries out of order and for a file and a folder of
// the same name, which need not be neighbours: foo, foo.bar, foo/. The
// files that a later folder could clash with are kept on a stack.
func checkOrder(entries []Entry) string {
	var files []string
	for i := 1; i < len(entries); i++ {
		a, b := &entries[i-1], &entries[i]
		if a.Name == b.Name {
			return "duplicateEntries"
		}
		if compareModes(a, b) >= 0 {
			return "treeNotSorted"
		}
		if !isDir(a.Mode) && strings.HasPrefix(b.Name, a.Name) {
			files = append(files, a.Name)
		}
		if !isDir(b.Mode) {
			continue
		}
		for n := len(files); n > 0; n = len(files) {
			rest, ok := strings.CutPrefix(b.Name, files[n-1])
			if ok && rest == "" {
				return "duplicateEntries"
			}
			if ok && rest[0] < '/' {
				break
			}
			files = files[:n-1]
		}
	}
	return ""
}

// compareModes is CompareNames with any mode that git takes for a folder.
func compareModes(a, b *Entry) int {
	return CompareNames(a.Name, kind(a.Mode), b.Name, kind(b.Mode))
}

func kind(m Mode) Mode {
	if isDir(m) {
		return ModeDir
	}
	return ModeFile
}
