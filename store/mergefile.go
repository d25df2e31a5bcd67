package store

import (
	"bytes"
	"errors"
	"fmt"

	"cairn/store/object"
)

// disputed stands for a file about which merge bases do not agree. No side has
// it, so that neither counts as unchanged. It is never written.
var disputed = Hash{0: 0xff, 19: 0xff}

// file merges what is a file on at least one side, or the file part of a clash.
// The result is ours where there is a conflict.
func (m *merger) file(path string, t trio) (object.Entry, error) {
	switch {
	case t[inOurs] == t[inTheirs] || t[inBase] == t[inTheirs]:
		return t[inOurs], nil
	case t[inBase] == t[inOurs]:
		return t[inTheirs], nil
	}
	mode, ok := mergeModes(t)
	if !ok {
		return m.conflict(path, t)
	}
	if e, ok := mergeHashes(t); ok {
		e.Mode = mode
		return e, nil
	}
	if m.f == nil || !isFile(mode) {
		return m.conflict(path, t)
	}
	data, err := m.call(path, t)
	switch {
	case errors.Is(err, ErrMergeConflict) || errors.Is(err, ErrTooLarge):
		return m.conflict(path, t)
	case err != nil || data == nil:
		return object.Entry{}, err
	case len(data) > MaxObject:
		return object.Entry{}, fmt.Errorf("merge %q: %w", path, ErrTooLarge)
	}
	o := object.Object{Type: object.TypeBlob, Data: bytes.Clone(data)}
	h := o.Hash()
	m.tx.made[h] = newObject{Object: o, hash: h}
	return object.Entry{Mode: mode, Hash: h}, nil
}

func (m *merger) conflict(path string, t trio) (object.Entry, error) {
	if m.virtual {
		m.tx.made[disputed] = newObject{Object: object.Object{Type: object.TypeBlob}, hash: disputed}
		return object.Entry{Mode: object.ModeFile, Hash: disputed}, nil
	}
	m.conflicts = append(m.conflicts, path)
	return t[inOurs], nil
}

func isFile(m object.Mode) bool { return m == object.ModeFile || m == object.ModeExecutable }

// mergeModes merges the modes of what is there. It is not ok when the sides are
// of different kinds.
func mergeModes(t trio) (object.Mode, bool) {
	base, ours, theirs := t[inBase].Mode, t[inOurs].Mode, t[inTheirs].Mode
	switch {
	case ours == theirs || theirs == 0:
		return ours, true
	case ours == 0:
		return theirs, true
	case !isFile(ours) || !isFile(theirs):
		return 0, false
	case base == ours:
		return theirs, true
	case base == theirs:
		return ours, true
	}
	return object.ModeExecutable, true
}

// mergeHashes decides about contents without looking at them, if it can.
func mergeHashes(t trio) (object.Entry, bool) {
	base, ours, theirs := t[inBase].Hash, t[inOurs].Hash, t[inTheirs].Hash
	switch {
	case ours == theirs || base == theirs && t[inTheirs].Mode != 0:
		return t[inOurs], t[inOurs].Mode != 0
	case base == ours:
		return t[inTheirs], t[inTheirs].Mode != 0
	}
	return object.Entry{}, false
}

// call calls the MergeFunc.
func (m *merger) call(path string, t trio) ([]byte, error) {
	var data [3][]byte
	for i, e := range t {
		if !isFile(e.Mode) || e.Hash == disputed {
			continue
		}
		b, err := m.side(i).blob(e.Hash)
		if err != nil {
			return nil, err
		}
		if data[i] = bytes.Clone(b); b == nil {
			data[i] = []byte{}
		}
	}
	return m.f(path, data[inBase], data[inOurs], data[inTheirs])
}
