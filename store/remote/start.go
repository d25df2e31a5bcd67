package remote

import (
	"context"
	"errors"
	"fmt"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/lazy"
)

// start finds out what there is: in the folder, and at the host.
func (b *Backend) start(ctx context.Context) error {
	warm, err := b.recall(ctx)
	if err != nil {
		return err
	}
	able, err := b.able(ctx)
	switch {
	case err != nil && warm && isTemporary(err):
		able.WantAny = true // as far as is known; nothing is forgotten from a folder
	case err != nil:
		return err
	case b.options.Atomic && !able.Atomic:
		return fmt.Errorf("several branches have to move together: %w", gitwire.ErrNotAtomic)
	}
	o := lazy.Options{Bytes: b.options.Bytes, Folder: b.options.Folder}
	if able.WantAny {
		o.Fetch = b.bringMissing
		b.forgetful = true
	}
	b.objects = lazy.New(o)
	if !able.WantAny {
		b.dropLost(ctx)
	}
	if err == nil {
		err = b.sync(ctx)
	}
	if err == nil && !warm {
		err = errors.Join(b.lacking(), b.expected(ctx))
	}
	if err != nil && !(warm && isTemporary(err)) {
		return errors.Join(err, b.objects.Close())
	}
	return nil
}

// lacking is an error when there is a ref that cannot be had: whoever finds none of that name
// would take it that there is none.
func (b *Backend) lacking() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, r := range b.rewound {
		if _, ok := errors.AsType[*unfetched](r.Why); ok {
			return r
		}
	}
	return nil
}

// able returns what the host can do. It is asked anew once it has been away.
func (b *Backend) able(ctx context.Context) (gitwire.Abilities, error) {
	b.mu.RLock()
	known := b.abilities
	b.mu.RUnlock()
	if known != nil {
		return *known, nil
	}
	ctx, watch := newWatch(ctx, b.options.Timeout)
	defer watch.stop()
	able, err := b.host.Able(ctx)
	if err = watch.cause(err); err != nil {
		b.noteAway(err)
		return able, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abilities = &able
	return able, nil
}

// An ExpectError says that no branch contains a commit that Options.Expect names: the
// host shows an old state, or another repository.
type ExpectError struct{ Commit store.Hash }

func (e *ExpectError) Error() string {
	return "no branch at the host contains commit " + e.Commit.String() + ", which was expected"
}

// expected looks for the commits that have to be there.
func (b *Backend) expected(ctx context.Context) error {
	for _, want := range b.options.Expect {
		found := false
		for _, ref := range b.list("refs/heads/") {
			var err error
			if found, err = b.contains(ctx, ref.Hash, map[store.Hash]bool{want: true}, store.Hash{}); err != nil {
				return err
			}
			if found {
				break
			}
		}
		if !found {
			return &ExpectError{want}
		}
	}
	return nil
}
