package remote

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// What a folder remembers: the refs, as refs of the same names, and where
// history ends. Both are written some time after they have changed; a start goes on from
// there as if the process had been away for that time.

const (
	// endsRef names a blob with a line for each commit that is here without its parents.
	endsRef = "refs/cairn/ends"
	// rememberAfter is how long what has changed waits for more of it.
	rememberAfter = time.Second
)

// recall takes up what the folder remembers; warm says that it remembers anything.
func (b *Backend) recall(ctx context.Context) (warm bool, err error) {
	folder := b.options.Folder
	if folder == nil {
		return false, nil
	}
	for ref, err := range folder.Refs(ctx, "refs/") {
		if err != nil {
			return false, fmt.Errorf("read folder: %w", err)
		}
		if ref.Name == endsRef {
			if err := b.recallEnds(ctx, ref.Hash); err != nil {
				return false, fmt.Errorf("read folder: %w", err)
			}
			continue
		}
		if !b.followed(ref.Name) {
			continue
		}
		b.refs[ref.Name] = tip{hash: ref.Hash}
		warm = true
	}
	return warm, nil
}

// dropLost forgets refs whose objects the folder has lost. Only where they cannot be asked for by
// name: everywhere else it matters what a ref was, and what it names comes when it is read.
func (b *Backend) dropLost(ctx context.Context) {
	for name, t := range b.refs {
		if !b.holds(ctx, t.hash) {
			delete(b.refs, name)
		}
	}
}

func (b *Backend) recallEnds(ctx context.Context, h store.Hash) error {
	list, err := b.options.Folder.Object(ctx, h)
	if errors.Is(err, fs.ErrNotExist) { // trimmed: ends are found out again as they are read
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(list.Data)) {
		var end store.Hash
		if n, err := hex.Decode(end[:], []byte(strings.TrimSpace(line))); err != nil || n != len(end) {
			return fmt.Errorf("%s: malformed line %.60q", endsRef, line)
		}
		o, err := b.options.Folder.Object(ctx, end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return err
		}
		b.shallow[end] = c.Parents
	}
	return nil
}

// remember writes what has changed to the folder, now and then and at the end.
func (b *Backend) remember(ctx context.Context) {
	fresh := pause{first: rememberAfter, most: time.Minute}
	for wait := fresh; ctx.Err() == nil; {
		select {
		case <-b.someChange():
		case <-ctx.Done():
		}
		wait.sleep(ctx)
		if err := b.write(context.WithoutCancel(ctx)); err != nil {
			b.log.Error("the folder does not remember the refs", "error", err)
			continue
		}
		wait = fresh
	}
}

// someChange returns a channel that is closed at the next change, or has been.
func (b *Backend) someChange() <-chan struct{} {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.dirty {
		return b.changed
	}
	now := make(chan struct{})
	close(now)
	return now
}

// write makes the folder remember what is now. What is in the way for a time, such as a full disk,
// has it tried again.
func (b *Backend) write(ctx context.Context) error {
	refs, ends, dirty := b.toRemember()
	if !dirty {
		return nil
	}
	err := b.writeRefs(ctx, refs, ends)
	if isTemporary(err) {
		b.mu.Lock()
		b.dirty = true
		b.mu.Unlock()
	}
	return err
}

// toRemember returns what the folder is to remember, if that has changed.
func (b *Backend) toRemember() (refs map[string]store.Hash, ends object.Object, dirty bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	dirty, b.dirty = b.dirty, false
	if !dirty {
		return nil, ends, false
	}
	refs = make(map[string]store.Hash, len(b.refs)+1)
	for name, t := range b.refs {
		refs[name] = t.hash
	}
	lines := make([]string, 0, len(b.shallow))
	for h := range b.shallow {
		lines = append(lines, h.String()+"\n")
	}
	slices.Sort(lines)
	ends = object.Object{Type: object.TypeBlob, Data: []byte(strings.Join(lines, ""))}
	refs[endsRef] = ends.Hash()
	return refs, ends, true
}

// writeRefs makes the folder's refs what they are to be: first those that go, which may stand
// in the way of others.
func (b *Backend) writeRefs(ctx context.Context, want map[string]store.Hash, ends object.Object) error {
	var gone, others []store.RefChange
	for ref, err := range b.options.Folder.Refs(ctx, "refs/") {
		if err != nil {
			return err
		}
		c := store.RefChange{Name: ref.Name, Old: ref.Hash, New: want[ref.Name]}
		switch {
		case c.New.IsZero():
			gone = append(gone, c)
		case c.New != c.Old:
			others = append(others, c)
		}
		delete(want, ref.Name)
	}
	for name, h := range want {
		others = append(others, store.RefChange{Name: name, New: h})
	}
	slices.SortFunc(others, func(a, b store.RefChange) int { return cmp.Compare(a.Name, b.Name) })
	var objs []object.Object
	if slices.ContainsFunc(others, func(c store.RefChange) bool { return c.Name == endsRef }) {
		objs = append(objs, ends)
	}
	if err := b.writeChanges(ctx, nil, gone); err != nil {
		return err
	}
	return b.writeChanges(ctx, objs, others)
}

// writeChanges moves refs of the folder together, and in ever smaller parts where some cannot be: a host
// may show names that no folder holds beside each other.
func (b *Backend) writeChanges(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if len(changes) == 0 {
		return nil
	}
	err := b.options.Folder.Commit(ctx, objs, changes)
	if err == nil || len(changes) == 1 || isTemporary(err) {
		return err
	}
	half := len(changes) / 2
	return errors.Join(b.writeChanges(ctx, objs, changes[:half]), b.writeChanges(ctx, objs, changes[half:]))
}
