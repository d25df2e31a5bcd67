// Package observe tells somebody of every commit to a backend, whoever makes
// it: an Update or a push. Meters and backups stand on it.
package observe

import (
	"context"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A Backend is all that a backend of store can do; gitdir, mem and remote are such.
type Backend interface {
	store.Backend
	store.Receiver
	store.Packed
}

// A Commit is one call of a backend's Commit. It must not be changed.
type Commit struct {
	Objects int // that came with it; those of a pushed pack came before
	Changes []store.RefChange
	Took    time.Duration
	Err     error
}

// New returns the backend, such that told is called after each Commit, before it
// returns. told must be quick and is called concurrently.
func New(b Backend, told func(Commit)) Backend { return &observed{b, told} }

type observed struct {
	Backend
	told func(Commit)
}

// Replica implements store.Replicated: "" where the backend is not.
func (o *observed) Replica() string {
	if r, ok := o.Backend.(store.Replicated); ok {
		return r.Replica()
	}
	return ""
}

// Commit implements store.Backend.
func (o *observed) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	begin := time.Now()
	err := o.Backend.Commit(ctx, objs, changes)
	o.told(Commit{len(objs), changes, time.Since(begin), err})
	return err
}
