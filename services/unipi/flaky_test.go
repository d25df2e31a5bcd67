package unipi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"

	"cairn/store"
	"cairn/store/object"
)

// flaky is a backend that is away at times.
type flaky struct {
	store.Backend
	down, noObjects atomic.Bool
}

var errAway = errors.New("host is away")

func (f *flaky) repo() *store.Repo { return store.New(f, store.Options{}) }

func (f *flaky) Ref(ctx context.Context, name string) (store.Ref, error) {
	if f.down.Load() {
		return store.Ref{}, errAway
	}
	return f.Backend.Ref(ctx, name)
}

func (f *flaky) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	if f.noObjects.Load() {
		return object.Object{}, errAway
	}
	return f.Backend.Object(ctx, h)
}

func (f *flaky) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	if f.noObjects.Load() {
		return 0, 0, errAway
	}
	return f.Backend.Stat(ctx, h)
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
