package object_test

import (
	"strings"

	"cairn/store/object"
)

// A hostile object, or a harmless one that looks like it.
type hostile struct {
	name string
	typ  object.Type
	data string
	id   string // what Check says, empty for nothing
}

const (
	hash1 = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
	hex1  = "0102030405060708090a0b0c0d0e0f1011121314"
	ident = "A U Thor <a@example.org> 1700000000 +0100"
)

// line is a tree entry.
func line(mode, name string) string { return mode + " " + name + "\x00" + hash1 }

func treeOf(entries ...string) string {
	var b strings.Builder
	for _, e := range entries {
		mode, name, _ := strings.Cut(e, " ")
		b.WriteString(line(mode, name))
	}
	return b.String()
}

func commitOf(author, committer string) string {
	return "tree " + hex1 + "\nauthor " + author + "\ncommitter " + committer + "\n\nmessage\n"
}

func hostiles() []hostile {
	all := hostileTrees()
	for _, name := range []string{
		".git", ".GIT", ".gIt", "git~1", "GIT~1", ".git.", ".git ", ".git . .", "git~1 .", ".git::$INDEX_ALLOCATION", ".git:x",
		".g\u200cit", "\u200d.git", ".git\u200e", ".g\u202ait", ".\u206fgit", ".git\ufeff", "a\\.git", "a\\git~1", ".git\\b", ".git\xff", ".git\uffff",
	} {
		all = append(all, hostile{"dotgit " + name, object.TypeTree, treeOf("100644 " + name), "hasDotgit"})
	}
	for _, name := range []string{".gitx", "git~2", "git", "..git", ".gi\u200bt", ".gıt", "a.git", "xgit~1", ".git-a", ".g\xffit", "git~", "g", "."[:1] + "g"} {
		all = append(all, hostile{"not dotgit " + name, object.TypeTree, treeOf("100644 " + name), ""})
	}
	for _, name := range []string{
		".gitmodules", ".GITMODULES", ".gitmodules ", ".gitmodules.", ".gitmodules:x", "gitmod~1", "GITMOD~4", "gi7eba~1", "gi7eba~9", "gi7eb~10", "GI7E~123", "gi7~1234", "g~123456", "~1234567",
		".git\u200cmodules", "gitmod~2. :", "a\\.gitmodules",
	} {
		all = append(all, hostile{"gitmodules link " + name, object.TypeTree, treeOf("120000 " + name), "gitmodulesSymlink"},
			hostile{"gitmodules file " + name, object.TypeTree, treeOf("100644 " + name), ""})
	}
	for _, name := range []string{".gitmodulesx", "gitmod~5", "gi7eba~0", "gi7ebb~1", "gi7eba~", "gi7eba~12", "~01234567", "gitmod~", ".gitmodule", ".gitattributes", ".gitignore", ".mailmap"} {
		all = append(all, hostile{"not gitmodules " + name, object.TypeTree, treeOf("120000 " + name), ""})
	}
	return append(append(all, hostileCommits()...), hostileTags()...)
}

func hostileTrees() []hostile {
	tree := object.TypeTree
	return []hostile{
		{"empty tree", tree, "", ""},
		{"good tree", tree, treeOf("100644 a", "40000 b", "100755 c", "120000 d", "160000 e"), ""},
		{"null hash", tree, "100644 a\x00" + strings.Repeat("\x00", 20), "nullSha1"},
		{"slash", tree, treeOf("100644 a/b"), "fullPathname"},
		{"dot", tree, treeOf("100644 ."), "hasDot"},
		{"dotdot", tree, treeOf("40000 .."), "hasDotdot"},
		{"empty name", tree, treeOf("100644 "), "badTree"},
		{"zero padded", tree, treeOf("040000 a"), "zeroPaddedFilemode"},
		{"zero padded second", tree, treeOf("100644 a", "0100644 b"), "zeroPaddedFilemode"},
		{"group writable", tree, treeOf("100664 a"), ""},
		{"odd mode", tree, treeOf("100600 a"), ""},
		{"mode zero", tree, treeOf("1 a"), ""},
		{"no mode", tree, " a\x00" + hash1, "badTree"},
		{"mode not octal", tree, treeOf("100648 a"), "badTree"},
		{"truncated", tree, treeOf("100644 a")[:20], "badTree"},
		{"truncated second", tree, treeOf("100644 a", "100644 b")[:50], "badTree"},
		{"no NUL", tree, "100644 abcdefghijklmnopqrstuvwxyz0123456789", "badTree"},
		{"trailing byte", tree, treeOf("100644 a") + "1", "badTree"},
		{"unsorted", tree, treeOf("100644 b", "100644 a"), "treeNotSorted"},
		{"folder sorted as file", tree, treeOf("40000 a", "100644 a.c"), "treeNotSorted"},
		{"folder sorted", tree, treeOf("100644 a.c", "40000 a"), ""},
		{"file before dotted", tree, treeOf("100644 a", "100644 a.c"), ""},
		{"duplicate files", tree, treeOf("100644 a", "100644 a"), "duplicateEntries"},
		{"duplicate file and folder", tree, treeOf("100644 a", "40000 a"), "duplicateEntries"},
		{"duplicate not adjacent", tree, treeOf("100644 foo", "100644 foo.bar", "40000 foo"), "duplicateEntries"},
		{"duplicate nested", tree, treeOf("100644 foo", "100644 foo.bar", "100644 foo.bar.baz", "40000 foo.bar", "40000 foo"), "duplicateEntries"},
		{"duplicate behind folder", tree, treeOf("100644 a", "40000 a-b", "40000 a"), "duplicateEntries"},
		{"no clash", tree, treeOf("100644 foo", "100644 foo.bar", "40000 foo.c", "40000 foo1"), ""},
		{"long name", tree, treeOf("100644 " + strings.Repeat("x", 4097)), "largePathname"},
		{"long enough name", tree, treeOf("100644 " + strings.Repeat("x", 4096)), ""},
	}
}

func hostileCommits() []hostile {
	commit := object.TypeCommit
	all := []hostile{
		{"good commit", commit, commitOf(ident, ident), ""},
		{"no message", commit, strings.TrimSuffix(commitOf(ident, ident), "\nmessage\n"), ""},
		{"extra headers", commit, "tree " + hex1 + "\nauthor " + ident + "\ncommitter " + ident + "\nencoding x\nfoo bar\ngpgsig a\n b\n\nm", ""},
		{"empty", commit, "", "unterminatedHeader"},
		{"unterminated", commit, "tree " + hex1, "unterminatedHeader"},
		{"NUL in header", commit, "tree " + hex1 + "\nauthor A\x00", "nulInHeader"},
		{"NUL in message", commit, commitOf(ident, ident) + "a\x00b", "nulInCommit"},
		{"no tree", commit, "parent " + hex1 + "\n\n", "missingTree"},
		{"bad tree", commit, "tree xyz\n\n", "badTreeSha1"},
		{"tree too long", commit, "tree " + hex1 + "0\n\n", "badTreeSha1"},
		{"upper case tree", commit, "tree " + strings.ToUpper(hex1) + "\nauthor " + ident + "\ncommitter " + ident + "\n\n", ""},
		{"bad parent", commit, "tree " + hex1 + "\nparent " + hex1[1:] + "\n\n", "badParentSha1"},
		{"no author", commit, "tree " + hex1 + "\ncommitter " + ident + "\n\n", "missingAuthor"},
		{"two authors", commit, "tree " + hex1 + "\nauthor " + ident + "\nauthor " + ident + "\ncommitter " + ident + "\n\n", "multipleAuthors"},
		{"no committer", commit, "tree " + hex1 + "\nauthor " + ident + "\n\n", "missingCommitter"},
	}
	for _, c := range []struct{ ident, id string }{
		{"<a@example.org> 1 +0000", "missingNameBeforeEmail"},
		{" <a@example.org> 1 +0000", ""},
		{"A 1 +0000", "missingEmail"},
		{"A> <a> 1 +0000", "badName"},
		{"A<a> 1 +0000", "missingSpaceBeforeEmail"},
		{"A <a", "badEmail"},
		{"A <a<b> 1 +0000", "badEmail"},
		{"A <a>1 +0000", "missingSpaceBeforeDate"},
		{"A <a>", "missingSpaceBeforeDate"},
		{"A <a> ", "badDate"},
		{"A <a> x +0000", "badDate"},
		{"A <a> 1x +0000", "badDate"},
		{"A <a> 1", "badDate"},
		{"A <a> -1 +0000", "badDate"},
		{"A <a> 0 +0000", ""},
		{"A <a> 0", "zeroPaddedDate"},
		{"A <a> 01 +0000", "zeroPaddedDate"},
		{"A <a> 18446744073709551615 +0000", "badDateOverflow"},
		{"A <a> 9223372036854775807 +0000", ""},
		{"A <a> 9223372036854775808 +0000", "badDateOverflow"},
		{"A <a> 184467440737095516150000000000 +0000", "badDateOverflow"},
		{"A <a>  \t1 +0000", ""},
		{"A <a> 1  +0000", "badTimezone"},
		{"A <a> 1 +000", "badTimezone"},
		{"A <a> 1 +00000", "badTimezone"},
		{"A <a> 1 0000", "badTimezone"},
		{"A <a> 1 +0000 ", "badTimezone"},
		{"A <a> 1 +9999", ""},
		{"A <a> 1 -0000", ""},
	} {
		all = append(all, hostile{"author " + c.ident, commit, commitOf(c.ident, ident), c.id},
			hostile{"committer " + c.ident, commit, commitOf(ident, c.ident), c.id})
	}
	return all
}

func hostileTags() []hostile {
	tag := object.TypeTag
	return []hostile{
		{"good tag", tag, "object " + hex1 + "\ntype commit\ntag v1\ntagger " + ident + "\n\nm\n", ""},
		{"NUL in tag message", tag, "object " + hex1 + "\ntype commit\ntag v1\ntagger " + ident + "\n\nm\x00\n", ""},
		{"old tag", tag, "object " + hex1 + "\ntype commit\ntag v1\n\nm\n", ""},
		{"extra header in tag", tag, "object " + hex1 + "\ntype commit\ntag v1\ntagger " + ident + "\nfoo bar\n\nm\n", ""},
		{"bad tag name", tag, "object " + hex1 + "\ntype commit\ntag v..1\ntagger " + ident + "\n\nm\n", ""},
		{"no object", tag, "type commit\n\n", "missingObject"},
		{"bad object", tag, "object 1\ntype commit\n\n", "badObjectSha1"},
		{"no type", tag, "object " + hex1 + "\ntag v1\n\n", "missingTypeEntry"},
		{"unknown type", tag, "object " + hex1 + "\ntype x\ntag v1\n\n", "badType"},
		{"delta type", tag, "object " + hex1 + "\ntype ofs-delta\ntag v1\n\n", "badType"},
		{"no tag", tag, "object " + hex1 + "\ntype tree\ntagger " + ident + "\n\n", "missingTagEntry"},
		{"bad tagger", tag, "object " + hex1 + "\ntype tree\ntag v1\ntagger A\n\n", "missingEmail"},
	}
}
