package junk

import (
	"io/fs"
)

// memory is files in memory.
type memory map[string][]byte

func (m memory) ReadFile(path string) ([]byte, error) {
	b, ok := m[path]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return b, nil
}

func (m memory) PutFile(path string, data []byte) error {
	m[path] = append([]byte{}, data...)
	return nil
}

func (m memory) RemoveFile(path string) error {
	if _, ok := m[path]; !ok {
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrNotExist}
	}
	delete(m, path)
	return nil
}

func (m memory) size() (n int) {
	for _, b := range m {
		n += len(b)
	}
	return n
}
