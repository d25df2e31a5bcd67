package object

import (
	"errors"
	"strconv"
	"strings"
)

// An Entry is one line of a tree.
type Entry struct {
	Name string
	Mode Mode
	Hash Hash
}

var errTree = errors.New("not a tree")

// ParseTree parses a tree's content. It accepts what git reads, also when git
// fsck would complain: order, duplicates and hostile names are Check's business,
// so callers must not use a Name as a path without CheckName. The names share
// one copy of data.
func ParseTree(data []byte) ([]Entry, error) {
	s := string(data)
	n := 0
	for rest := s; rest != ""; n++ {
		i := strings.IndexByte(rest, 0)
		if i < 0 || len(rest) < i+1+len(Zero) {
			return nil, errTree
		}
		rest = rest[i+1+len(Zero):]
	}
	entries := make([]Entry, n)
	for i := range entries {
		mode, name, ok := cutMode(s)
		end := strings.IndexByte(name, 0)
		if !ok || end <= 0 {
			return nil, errTree
		}
		entries[i].Mode = mode
		entries[i].Name = name[:end]
		s = name[end+1:]
		copy(entries[i].Hash[:], s)
		s = s[len(Zero):]
	}
	return entries, nil
}

// cutMode splits a tree line after its octal mode and the space. Git keeps modes
// in 16 bits.
func cutMode(s string) (mode Mode, rest string, ok bool) {
	if rest, ok := strings.CutPrefix(s, "100644 "); ok { // most are
		return ModeFile, rest, true
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			return mode, s[i+1:], i > 0
		case c < '0' || c > '7' || mode > 0o17777:
			return 0, s, false
		default:
			mode = mode<<3 | Mode(c-'0')
		}
	}
	return 0, s, false
}

// AppendTree appends the content of the tree with these entries, which must be
// in git's order (CompareNames).
func AppendTree(dst []byte, entries []Entry) []byte {
	for i := range entries {
		e := &entries[i]
		dst = strconv.AppendUint(dst, uint64(e.Mode), 8)
		dst = append(dst, ' ')
		dst = append(dst, e.Name...)
		dst = append(dst, 0)
		dst = append(dst, e.Hash[:]...)
	}
	return dst
}

// CompareNames is the order of entries in a tree: by bytes, a folder as if its
// name ended in a slash. Two entries of one name that are not of one kind may not
// stand in the same tree, although they do not compare as equal.
func CompareNames(a string, aMode Mode, b string, bMode Mode) int {
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	return int(byteAfter(a, n, aMode)) - int(byteAfter(b, n, bMode))
}

// byteAfter is the byte at n that the order sees: a NUL after a file's
// name, a slash after a folder's.
func byteAfter(name string, n int, m Mode) byte {
	switch {
	case n < len(name):
		return name[n]
	case m == ModeDir:
		return '/'
	}
	return 0
}
