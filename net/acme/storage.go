package acme

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"sync"
)

// A Storage keeps small files that others must not read. Several replicas may
// share one. Keys are paths of names of letters, digits, "." "_" "-" and "@".
// Safe for concurrent use.
type Storage interface {
	// Load returns what is at key; absent is fs.ErrNotExist. It may be older than
	// what another replica has made of it, but nothing that Load returns is older
	// than the last Update of this one.
	Load(ctx context.Context, key string) ([]byte, error)
	// Update replaces what is at key by what edit makes of it: nil stands for
	// absence, before and after. Nobody else changes it in between; edit may
	// run several times. An error of edit's ends Update, which returns it wrapped.
	// When Update returns nil, the new content is durable, and all replicas will
	// see it.
	Update(ctx context.Context, key string, edit func(old []byte) ([]byte, error)) error
}

// A Memory is a Storage that forgets, for tests. The zero value is empty.
type Memory struct {
	mu    sync.Mutex
	files map[string][]byte
}

// Load implements Storage.
func (m *Memory) Load(ctx context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[key]
	if !ok {
		return nil, fmt.Errorf("load %q: %w", key, fs.ErrNotExist)
	}
	return bytes.Clone(data), ctx.Err()
}

// Update implements Storage.
func (m *Memory) Update(ctx context.Context, key string, edit func(old []byte) ([]byte, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, err := edit(bytes.Clone(m.files[key]))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("update %q: %w", key, err)
	}
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	if m.files[key] = bytes.Clone(data); data == nil {
		delete(m.files, key)
	}
	return nil
}
