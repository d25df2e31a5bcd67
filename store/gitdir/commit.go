package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// Commit implements store.Backend. The files are written and synced at the same
// time; then they get their names, objects before refs.
func (d *Dir) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := d.commit(ctx, objs, changes); err != nil {
		return fmt.Errorf("commit to %s: %w", d.root, err)
	}
	return nil
}

func (d *Dir) commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := checkChanges(changes); err != nil {
		return err
	}
	if err := d.expect(changes); err != nil {
		return err
	}
	s := stage{d: d}
	defer s.discard()
	if len(objs) > 0 {
		if err := s.addPack(objs); err != nil {
			return err
		}
	}
	ready := ""
	if len(changes) == 1 && changes[0].New != object.Zero {
		var err error
		if ready, err = s.addFile([]byte(changes[0].New.String() + "\n")); err != nil {
			return err
		}
	}
	if err := s.sync(); err != nil {
		return err
	}
	published, err := s.publish(ctx)
	if err != nil {
		return err
	}
	defer published.settle()
	moved := len(changes) == 0
	if err = d.present(ctx, changes); err == nil && !moved {
		moved, err = d.moveRefs(ctx, changes, ready)
	}
	if !moved {
		published.retract()
	}
	return err
}

// checkChanges refuses names that git would not accept.
func checkChanges(changes []store.RefChange) error {
	if len(changes) > maxMoves {
		return fmt.Errorf("%d refs in one change; at most %d are possible", len(changes), maxMoves)
	}
	names := make(map[string]bool, len(changes))
	for _, c := range changes {
		if c.Name == "HEAD" || !readable(c.Name) {
			return fmt.Errorf("ref %q: not a valid name for a ref", c.Name)
		}
		if names[c.Name] {
			return fmt.Errorf("ref %s: named twice in one change", c.Name)
		}
		names[c.Name] = true
	}
	return nil
}

// expect finds most conflicts before anything is written. What counts is the
// comparison under lock.
func (d *Dir) expect(changes []store.RefChange) error {
	for _, c := range changes {
		ref, err := d.readRaw(c.Name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if ref.Target == "" && ref.Hash != c.Old {
			return &store.ConflictError{Change: c, Actual: ref.Hash}
		}
	}
	return nil
}

// present refuses to point a ref at an object that is not there, unless it may be elsewhere.
func (d *Dir) present(ctx context.Context, changes []store.RefChange) error {
	if d.partial {
		return nil
	}
	for _, c := range changes {
		if c.New == object.Zero || c.New == c.Old {
			continue
		}
		if _, _, err := d.Stat(ctx, c.New); err != nil {
			return fmt.Errorf("ref %s: %w", c.Name, err)
		}
	}
	return nil
}
