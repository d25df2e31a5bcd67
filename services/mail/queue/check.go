package queue

import (
	"context"
	"errors"
	"fmt"
	"path"

	"cairn/store"
)

// Check is what a push to the branch must satisfy: what it brings can be read under our seed where it lies, and
// no entry is without its message. So an administrator can take things away, or bring back a backup;
// what it brings back is sent, also when it was sent before.
func (q *Queue) Check(ctx context.Context, old, new *store.Tree) error {
	for d, err := range old.Diff(ctx, new) {
		if err != nil {
			return err
		}
		if d.New.Mode == 0 {
			err = checkRemoved(new, d.Path)
		} else {
			err = q.checkFile(new, d.Path)
		}
		if err != nil {
			return fmt.Errorf("%.100q: %w", d.Path, err)
		}
	}
	return nil
}

// checkRemoved sees to it that entries go with their message.
func checkRemoved(t *store.Tree, removed string) error {
	if !isMessage(removed) {
		return nil
	}
	if _, err := t.Lookup(path.Dir(removed)); err == nil {
		return errors.New("its recipients are still there")
	}
	return nil
}

func (q *Queue) checkFile(t *store.Tree, name string) error {
	if name == leaseFile {
		return nil // it holds nothing that is trusted
	}
	if _, dir, ok := parsePath(name); ok {
		if _, err := q.readEntry(t, name); err != nil {
			return err
		}
		_, err := t.Lookup(dir + "/" + messageFile)
		return err
	}
	if !isMessage(name) {
		return errors.New("nothing of that name belongs into the queue")
	}
	_, err := q.unseal(t, name)
	return err
}
