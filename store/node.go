package store

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"cairn/store/object"
)

// A node is a tree's content with an index over it. It is immutable. A nil node
// is an empty tree.
//
// refs are in git's order, without the names that no path can mean ("." and
// "..", names with a slash) and without a second entry of a name, whatever the
// bytes hold: those come from outside. tidy says that refs describe all of raw,
// byte for byte as we would write it, so that edits may splice it.
type node struct {
	raw  string
	refs []ref
	tidy bool
}

// A ref is where an entry's name begins in raw, times eight, plus its kind.
// Trees are at most MaxObject long, so that this fits.
type ref uint32

// The kinds, and the modes that they stand for, as git itself reduces them.
const (
	kindFile = iota
	kindExecutable
	kindSymlink
	kindSubmodule
	kindDir
)

var modes = [...]object.Mode{
	kindFile:       object.ModeFile,
	kindExecutable: object.ModeExecutable,
	kindSymlink:    object.ModeSymlink,
	kindSubmodule:  object.ModeSubmodule,
	kindDir:        object.ModeDir,
}

func kindOf(m object.Mode) ref {
	switch m & 0o170000 {
	case 0o100000:
		if m&0o100 != 0 {
			return kindExecutable
		}
		return kindFile
	case 0o120000:
		return kindSymlink
	case 0o040000:
		return kindDir
	}
	return kindSubmodule
}

func (r ref) kind() ref   { return r & 7 }
func (r ref) dir() bool   { return r&7 == kindDir }
func (r ref) offset() int { return int(r >> 3) }

var errTree = errors.New("not a tree")

// parseNode indexes a tree's content.
func parseNode(raw string) (*node, error) {
	if len(raw) > MaxObject {
		return nil, ErrTooLarge
	}
	n := &node{raw: raw, refs: make([]ref, 0, len(raw)/32+1), tidy: true}
	for pos := 0; pos < len(raw); {
		space := strings.IndexByte(raw[pos:], ' ')
		if space <= 0 {
			return nil, errTree
		}
		mode, err := strconv.ParseUint(raw[pos:pos+space], 8, 16)
		name := pos + space + 1
		length := strings.IndexByte(raw[name:], 0)
		if err != nil || length <= 0 || name+length+1+len(object.Zero) > len(raw) {
			return nil, errTree
		}
		r := ref(name)<<3 | kindOf(object.Mode(mode))
		if modes[r.kind()] != object.Mode(mode) || raw[pos] == '0' {
			n.tidy = false
		}
		if hidden(raw[name : name+length]) {
			n.tidy = false
		} else {
			n.refs = append(n.refs, r)
		}
		pos = name + length + 1 + len(object.Zero)
	}
	n.order()
	return n, nil
}

// hidden says that no path can mean an entry of this name.
func hidden(name string) bool {
	return name == "." || name == ".." || strings.IndexByte(name, '/') >= 0
}

// order makes sure that search works.
func (n *node) order() {
	if n.ordered() {
		return
	}
	n.tidy = false
	slices.SortStableFunc(n.refs, func(a, b ref) int {
		return object.CompareNames(n.nameAt(a), modes[a.kind()], n.nameAt(b), modes[b.kind()])
	})
	n.refs = slices.CompactFunc(n.refs, func(a, b ref) bool { return n.nameAt(a) == n.nameAt(b) })
	n.refs = slices.DeleteFunc(slices.Clone(n.refs), func(r ref) bool {
		if !r.dir() {
			return false
		}
		_, file := n.search(n.nameAt(r), false)
		return file
	})
}

// ordered says that the refs are in git's order and no name is there twice. A
// file and a folder of one name may have others between them, all of which
// begin with that name.
func (n *node) ordered() bool {
	for i := 1; i < len(n.refs); i++ {
		a, b := n.refs[i-1], n.refs[i]
		aName, bName := n.nameAt(a), n.nameAt(b)
		if aName == bName || object.CompareNames(aName, modes[a.kind()], bName, modes[b.kind()]) >= 0 {
			return false
		}
		if b.dir() && strings.HasPrefix(aName, bName) {
			if _, file := n.search(bName, false); file {
				return false
			}
		}
	}
	return true
}

func (n *node) len() int {
	if n == nil {
		return 0
	}
	return len(n.refs)
}

func (n *node) nameAt(r ref) string {
	s := n.raw[r.offset():]
	return s[:strings.IndexByte(s, 0)]
}

// entry returns the i-th entry. Its name shares the node's memory.
func (n *node) entry(i int) object.Entry {
	r := n.refs[i]
	s := n.raw[r.offset():]
	end := strings.IndexByte(s, 0)
	e := object.Entry{Name: s[:end], Mode: modes[r.kind()]}
	copy(e.Hash[:], s[end+1:])
	return e
}

// start and end are the bounds of the i-th entry in a tidy node's raw.
func (n *node) start(i int) int {
	if i == 0 {
		return 0
	}
	return n.end(i - 1)
}

func (n *node) end(i int) int {
	at := n.refs[i].offset()
	return at + strings.IndexByte(n.raw[at:], 0) + 1 + len(object.Zero)
}

// find returns the entry of this name.
func (n *node) find(name string) (object.Entry, bool) {
	i, ok := n.search(name, false)
	if !ok {
		i, ok = n.search(name, true)
	}
	if !ok {
		return object.Entry{}, false
	}
	return n.entry(i), true
}

// search finds a file (which is anything but a folder) or a folder of this
// name, or the place where it would stand.
func (n *node) search(name string, dir bool) (i int, ok bool) {
	low, high := 0, n.len()
	for low < high {
		mid := int(uint(low+high) / 2)
		c := n.compare(n.refs[mid], name, dir)
		if c == 0 {
			return mid, true
		}
		if c < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, false
}

// compare is object.CompareNames of an entry and a name.
func (n *node) compare(r ref, name string, dir bool) int {
	s := n.raw[r.offset():]
	for k := 0; k < len(name); k++ {
		c := s[k]
		if c != name[k] {
			if c == 0 {
				c = terminator(r.dir())
			}
			if c != name[k] {
				return int(c) - int(name[k])
			}
			return -1 // the entry's name and a slash: only hostile names hold one
		}
		if c == 0 {
			return 1
		}
	}
	c := s[len(name)]
	if c == 0 {
		c = terminator(r.dir())
	}
	return int(c) - int(terminator(dir))
}

// terminator is what git's order sees after a name.
func terminator(dir bool) byte {
	if dir {
		return '/'
	}
	return 0
}
