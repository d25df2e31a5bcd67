package lazy

import (
	"context"
	"io"

	"cairn/store"
	"cairn/store/object"
)

// A folder is a place on disk.
type folder struct{ dir Folder }

// Object implements store.Objects.
func (f *folder) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	return f.dir.Object(ctx, h)
}

// Stat implements store.Objects.
func (f *folder) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	return f.dir.Stat(ctx, h)
}

// Open implements store.Objects.
func (f *folder) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	return f.dir.Open(ctx, h)
}

// Entry implements store.Packed.
func (f *folder) Entry(ctx context.Context, h store.Hash) (store.Entry, bool, error) {
	if p, ok := f.dir.(store.Packed); ok {
		return p.Entry(ctx, h)
	}
	_, _, err := f.dir.Stat(ctx, h)
	return store.Entry{}, false, err
}

func (f *folder) put(ctx context.Context, objs []object.Object) error {
	return f.dir.Commit(ctx, objs, nil)
}

func (f *folder) receive(ctx context.Context, r io.Reader, base baseFunc, lim store.Limits) (Quarantine, error) {
	q, err := f.dir.Receive(ctx, r, base, lim)
	if err != nil {
		return nil, err
	}
	return onDisk{q}, nil
}

// onDisk is a quarantine of a folder.
type onDisk struct{ store.Quarantine }

// Promise implements Quarantine.
func (onDisk) Promise() {}

// Forget implements Quarantine.
func (onDisk) Forget() {}
