package remote

import (
	"bytes"
	"context"
	"io"

	"cairn/store"
	"cairn/store/object"
)

// Object implements store.Objects. What is not here is fetched.
func (b *Backend) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	return b.objects.Object(ctx, h)
}

// Stat implements store.Objects.
func (b *Backend) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	return b.objects.Stat(ctx, h)
}

// Open implements store.Objects.
func (b *Backend) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	return b.objects.Open(ctx, h)
}

// Entry implements store.Packed.
func (b *Backend) Entry(ctx context.Context, h store.Hash) (store.Entry, bool, error) {
	return b.objects.Entry(ctx, h)
}

// Held reads what is on this side and never asks the host: what is not here is
// fs.ErrNotExist at once.
func (b *Backend) Held() store.Objects { return b.objects.Held() }

// hold keeps objects that no ref names. There is no place for them at the host, so they stay
// only as long as there is room on this side.
func (b *Backend) hold(ctx context.Context, objs []object.Object) error {
	return b.objects.Put(ctx, objs...)
}

// An overlay reads objects that are being committed, and others where they are kept.
type overlay struct {
	objs map[store.Hash]object.Object
	rest storage
}

type storage interface {
	store.Objects
	store.Packed
}

func over(objs []object.Object, rest storage) overlay {
	o := overlay{map[store.Hash]object.Object{}, rest}
	for _, obj := range objs {
		o.objs[obj.Hash()] = obj
	}
	return o
}

func (o overlay) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	if obj, ok := o.objs[h]; ok && len(obj.Data) <= store.MaxObject {
		return obj, nil
	}
	return o.rest.Object(ctx, h)
}

func (o overlay) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	if obj, ok := o.objs[h]; ok {
		return obj.Type, int64(len(obj.Data)), nil
	}
	return o.rest.Stat(ctx, h)
}

func (o overlay) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	if obj, ok := o.objs[h]; ok {
		return io.NopCloser(bytes.NewReader(obj.Data)), nil
	}
	return o.rest.Open(ctx, h)
}

func (o overlay) Entry(ctx context.Context, h store.Hash) (store.Entry, bool, error) {
	if _, ok := o.objs[h]; ok {
		return store.Entry{}, false, nil
	}
	return o.rest.Entry(ctx, h)
}
