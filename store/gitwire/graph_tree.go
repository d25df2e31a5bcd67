package gitwire

import (
	"bytes"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// eachEntry calls f with each entry of a tree; name and hash are valid during
// the call. It stops at malformed bytes with an error.
func eachEntry(data []byte, f func(mode object.Mode, name []byte, h store.Hash) error) error {
	var h store.Hash
	for len(data) > 0 {
		mode, name, rest, ok := nextEntry(data, &h)
		if !ok {
			return errTree
		}
		if err := f(mode, name, h); err != nil {
			return err
		}
		data = rest
	}
	return nil
}

// nextEntry reads the first entry of a tree; ok is false when there is none.
func nextEntry(data []byte, h *store.Hash) (mode object.Mode, name, rest []byte, ok bool) {
	i := 0
	for ; i < len(data) && i < 8 && '0' <= data[i] && data[i] <= '7'; i++ {
		mode = mode<<3 | object.Mode(data[i]-'0')
	}
	if i == 0 || i == len(data) || data[i] != ' ' {
		return 0, nil, nil, false
	}
	data = data[i+1:]
	end := bytes.IndexByte(data, 0)
	if end < 1 || len(data) < end+1+len(h) {
		return 0, nil, nil, false
	}
	copy(h[:], data[end+1:])
	return mode, data[:end], data[end+1+len(h):], true
}

// errTree says that a tree's bytes are malformed.
var errTree = fmt.Errorf("malformed tree: %w", fs.ErrInvalid)

// isTree and isSubmodule look at the kind of entry only: old repositories hold
// modes with odd permission bits.
func isTree(m object.Mode) bool      { return m&0o170000 == 0o040000 }
func isSubmodule(m object.Mode) bool { return m&0o170000 == 0o160000 }
