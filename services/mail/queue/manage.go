package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// An Item is a part of a message that waits: its recipients of one domain.
type Item struct {
	ID       string // of the message: what Put returned
	From     string
	To       []Waiting
	Domain   string
	Size     int64 // of the message, in bytes
	Queued   time.Time
	Attempts int       // so far
	Next     time.Time // of the next attempt
	Held     bool
}

// A Waiting is a recipient and what was last said about it.
type Waiting struct {
	Recipient
	Answer string `json:"answer,omitempty"` // "" before the first attempt
}

// List yields what waits, in no order. What cannot be read yields an error, and the rest goes on.
func (q *Queue) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		t, err := q.branch.Tree(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Item{}, err)
			return
		}
		for d, err := range (&store.Tree{}).Diff(ctx, t) {
			if err != nil {
				yield(Item{}, err)
				return
			}
			id, _, ok := parsePath(d.Path)
			if !ok {
				continue
			}
			e, err := q.readEntry(t, d.Path)
			if err != nil {
				if !yield(Item{ID: id}, err) {
					return
				}
				continue
			}
			item := Item{
				ID: id, From: e.From, To: e.To, Domain: e.Domain, Size: e.Size, Queued: e.Queued,
				Attempts: e.Attempts, Next: e.Next, Held: e.Held,
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Retry has messages sent as soon as possible: those named, or with none all that are not held.
// A message that is not there is fs.ErrNotExist, here and in the others, and nothing is changed.
func (q *Queue) Retry(ctx context.Context, by object.Signature, ids ...string) error {
	now := q.o.Now().UTC().Round(0)
	return q.edit(ctx, by, "try again", ids, func(e *entry) { e.Next = now })
}

// Hold keeps messages, or all that there are, from being sent until they are released.
func (q *Queue) Hold(ctx context.Context, by object.Signature, ids ...string) error {
	return q.edit(ctx, by, "hold", ids, func(e *entry) { e.Held = true })
}

// Release undoes Hold, of all if none is named, and has them sent as soon as possible.
func (q *Queue) Release(ctx context.Context, by object.Signature, ids ...string) error {
	now := q.o.Now().UTC().Round(0)
	return q.edit(ctx, by, "release", ids, func(e *entry) { e.Held, e.Next = false, now })
}

// Drop forgets messages; with none named, none. Nobody is told.
func (q *Queue) Drop(ctx context.Context, by object.Signature, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return q.change(ctx, by, "drop", ids, func(tx *store.Tx, dir string) error { return tx.Remove(dir) })
}

// edit changes all entries of messages.
func (q *Queue) edit(ctx context.Context, by object.Signature, verb string, ids []string, f func(*entry)) error {
	return q.change(ctx, by, verb, ids, func(tx *store.Tx, dir string) error {
		paths, err := entriesIn(tx, dir)
		if err != nil {
			return err
		}
		for _, path := range paths {
			e, err := q.readEntry(tx, path)
			if err != nil {
				return err
			}
			f(e)
			if err := q.writeEntry(tx, path, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// change does something to the folders of messages, in one commit; of all when none is named.
func (q *Queue) change(ctx context.Context, by object.Signature, verb string, ids []string, f func(tx *store.Tx, dir string) error) error {
	what := strings.Join(ids, ", ")
	if len(ids) == 0 || len(what) > 200 {
		what = "messages"
	}
	ch := store.Change{Author: by, Message: fmt.Sprintf("queue: %s %s", verb, what)}
	return q.branch.Update(ctx, ch, func(tx *store.Tx) error {
		dirs, err := q.folders(tx, ids)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if err := f(tx, dir); err != nil {
				return fmt.Errorf("%s %s: %w", verb, strings.ReplaceAll(dir, "/", ""), err)
			}
		}
		return nil
	})
}

// folders returns where messages lie: those named, or all.
func (q *Queue) folders(tx *store.Tx, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return allFolders(tx)
	}
	var dirs []string
	for _, id := range ids {
		dir, err := folder(id)
		if err == nil {
			_, err = tx.Lookup(dir)
		}
		if err != nil {
			return nil, fmt.Errorf("message %.40q is not in the queue: %w", id, fs.ErrNotExist)
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func allFolders(tx *store.Tx) ([]string, error) {
	dirs := []string{"."}
	for range 3 { // ab, ab/cd, ab/cd/efghijklmnop
		var below []string
		for _, dir := range dirs {
			for e, err := range tx.Entries(dir) {
				switch {
				case err != nil && !errors.Is(err, fs.ErrNotExist):
					return nil, err
				case err == nil && e.Mode == object.ModeDir:
					below = append(below, strings.TrimPrefix(dir+"/"+e.Name, "./"))
				}
			}
		}
		dirs = below
	}
	return dirs, nil
}

// entriesIn returns the paths of all entries in a message's folder.
func entriesIn(tx *store.Tx, dir string) ([]string, error) {
	var paths []string
	for e, err := range tx.Entries(dir) {
		if err != nil {
			return nil, err
		}
		below := dir + "/" + e.Name
		if e.Mode == object.ModeDir {
			more, err := entriesIn(tx, below)
			if err != nil {
				return nil, err
			}
			paths = append(paths, more...)
		} else if _, _, ok := parsePath(below); ok {
			paths = append(paths, below)
		}
	}
	return paths, nil
}
