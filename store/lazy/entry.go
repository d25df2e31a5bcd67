package lazy

import (
	"bytes"

	"cairn/store"
)

// The kinds of entry.
const (
	other = iota // of another repository
	blob
	folderEntry
)

// An entry is one of a tree's.
type entry struct {
	kind int
	hash store.Hash
	end  int // where the next one begins
}

// entryAt reads the entry that begins at a place in a tree.
func entryAt(tree []byte, at int) (e entry, ok bool) {
	if at >= len(tree) {
		return e, false
	}
	name := bytes.IndexByte(tree[at:], 0)
	if e.end = at + name + 1 + len(e.hash); name < 0 || e.end > len(tree) {
		return e, false
	}
	copy(e.hash[:], tree[e.end-len(e.hash):])
	e.kind = kindOf(tree[at:])
	return e, true
}

func kindOf(entry []byte) int {
	switch {
	case entry[0] == '4' || entry[0] == '0': // 40000, and 040000 in old trees
		return folderEntry
	case bytes.HasPrefix(entry, []byte("16")):
		return other
	}
	return blob
}

// find returns the entry that names h. It looks for the name rather than reading entry
// by entry, and so may find what only looks like one, among hashes: what comes of that is a
// request for objects that do not exist.
func find(tree []byte, h store.Hash) (e entry, ok bool) {
	i := bytes.Index(tree, h[:])
	if i < 1 || tree[i-1] != 0 {
		return e, false
	}
	start := i - 1
	for start > 0 { // back to where the hash before it ends: a zero byte may be in that hash
		zero := bytes.LastIndexByte(tree[:start], 0)
		if zero < 0 {
			start = 0
			break
		}
		if at := zero + 1 + len(h); at < i && beginsEntry(tree[at:i]) {
			start = at
			break
		}
		start = zero
	}
	return entry{kind: kindOf(tree[start:]), hash: h, end: i + len(h)}, true
}

// beginsEntry says whether b begins with a mode and a space.
func beginsEntry(b []byte) bool {
	n := bytes.IndexByte(b[:min(len(b), 7)], ' ')
	if n < 5 {
		return false
	}
	for _, c := range b[:n] {
		if c < '0' || c > '7' {
			return false
		}
	}
	return true
}
