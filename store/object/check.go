package object

import "strings"

// A CheckError says what git fsck --strict refuses an object for.
type CheckError struct {
	Type Type
	ID   string // git's name of the problem (git-fsck(1), fsck.<msg-id>), such as treeNotSorted
}

func (e *CheckError) Error() string { return e.Type.String() + ": " + e.ID }

// Check returns a *CheckError for an object that a repository with
// receive.fsckObjects refuses, which is what git fsck --strict calls an error. Of
// several problems it names one. Blobs are always fine; CheckSpecial looks at those
// that git reads itself.
func Check(t Type, data []byte) error {
	id := ""
	switch t {
	case TypeTree:
		id = checkTree(data, nil)
	case TypeCommit:
		id = checkCommit(data)
	case TypeTag:
		id = checkTag(data)
	case TypeBlob:
	default:
		id = "unknownType"
	}
	return checkError(t, id)
}

// CheckTree is Check of a tree. It calls special for each entry that is
// a .gitmodules or .gitattributes, in any disguise.
func CheckTree(data []byte, special func(Special, Hash)) error {
	return checkError(TypeTree, checkTree(data, special))
}

func checkError(t Type, id string) error {
	if id == "" {
		return nil
	}
	return &CheckError{t, id}
}

// maxPath is where git fsck begins to speak of a largePathname.
const maxPath = 4096

func checkTree(data []byte, special func(Special, Hash)) string {
	o := order{}
	for s := string(data); s != ""; {
		mode, name, ok := cutMode(s)
		end := strings.IndexByte(name, 0)
		if !ok || end <= 0 || len(name) < end+1+len(Zero) {
			return "badTree"
		}
		padded := s[0] == '0'
		s = name[end+1+len(Zero):]
		hash := name[end+1 : end+1+len(Zero)]
		name = name[:end]
		switch {
		case padded:
			return "zeroPaddedFilemode"
		case hash == string(Zero[:]):
			return "nullSha1"
		}
		kind, id := checkEntry(name, mode)
		if id != "" {
			return id
		}
		if kind != 0 && special != nil {
			special(kind, Hash([]byte(hash)))
		}
		if id := o.next(name, isDir(mode)); id != "" {
			return id
		}
	}
	return ""
}

func checkEntry(name string, mode Mode) (kind Special, id string) {
	switch {
	case len(name) > maxPath:
		return 0, "largePathname"
	case strings.IndexByte(name, '/') >= 0:
		return 0, "fullPathname"
	case !specialFirst[name[0]] && strings.IndexByte(name, '\\') < 0:
		return 0, ""
	case name == ".":
		return 0, "hasDot"
	case name == "..":
		return 0, "hasDotdot"
	case isDotgit(name):
		return 0, "hasDotgit"
	case isDotgitmodules(name) && isSymlink(mode):
		return 0, "gitmodulesSymlink"
	case isDotgitmodules(name):
		return Gitmodules, ""
	case isDotgitattributes(name) && !isSymlink(mode):
		return Gitattributes, ""
	}
	return 0, ""
}

// specialFirst holds the bytes that a name with a meaning can begin with: of .git, git~1,
// ~1234567, and code points that HFS+ ignores.
var specialFirst = [256]bool{'.': true, 'g': true, 'G': true, '~': true, 0xe2: true, 0xef: true}

func isSymlink(m Mode) bool { return m&0o170000 == ModeSymlink }
func isDir(m Mode) bool     { return m&0o170000 == ModeDir }

// An order looks for entries out of order and for a file and a folder of the same
// name, which need not be neighbours: foo, foo.bar, foo/. The files that a later
// folder could clash with are kept on a stack.
type order struct {
	name  string // the entry before, empty at first
	dir   bool
	files []string
}

func (o *order) next(name string, dir bool) string {
	last := *o
	o.name, o.dir = name, dir
	switch {
	case last.name == "":
		return ""
	case last.name == name:
		return "duplicateEntries"
	case CompareNames(last.name, kind(last.dir), name, kind(dir)) >= 0:
		return "treeNotSorted"
	}
	if !last.dir && strings.HasPrefix(name, last.name) {
		o.files = append(o.files, last.name)
	}
	if dir && o.clashes(name) {
		return "duplicateEntries"
	}
	return ""
}

// clashes says whether a file had this folder's name, and forgets the files that
// come too early to clash with anything from here on.
func (o *order) clashes(folder string) bool {
	for n := len(o.files); n > 0; n = len(o.files) {
		rest, ok := strings.CutPrefix(folder, o.files[n-1])
		if ok && rest == "" {
			return true
		}
		if ok && rest[0] < '/' {
			return false
		}
		o.files = o.files[:n-1]
	}
	return false
}

func kind(dir bool) Mode {
	if dir {
		return ModeDir
	}
	return ModeFile
}
