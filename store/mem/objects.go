package mem

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// A loose is one object as store.Objects, whatever hash it is asked for.
type loose object.Object

// Object implements store.Objects.
func (l loose) Object(_ context.Context, h store.Hash) (object.Object, error) {
	if len(l.Data) > store.MaxObject {
		return object.Object{}, fmt.Errorf("object %v: %w", h, store.ErrTooLarge)
	}
	return object.Object(l), nil
}

// Stat implements store.Objects.
func (l loose) Stat(context.Context, store.Hash) (object.Type, int64, error) {
	return l.Type, int64(len(l.Data)), nil
}

// Open implements store.Objects.
func (l loose) Open(context.Context, store.Hash) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.Data)), nil
}

// nowhere is store.Objects without any.
type nowhere struct{}

func absent(h store.Hash) error { return fmt.Errorf("object %v: %w", h, fs.ErrNotExist) }

// Object implements store.Objects.
func (nowhere) Object(_ context.Context, h store.Hash) (object.Object, error) {
	return object.Object{}, absent(h)
}

// Stat implements store.Objects.
func (nowhere) Stat(_ context.Context, h store.Hash) (object.Type, int64, error) {
	return 0, 0, absent(h)
}

// Open implements store.Objects.
func (nowhere) Open(_ context.Context, h store.Hash) (io.ReadCloser, error) { return nil, absent(h) }
