package remote

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
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
		if _, _, err := folder.Stat(ctx, ref.Hash); err != nil || !b.followed(ref.Name) {
			continue
		}
		b.refs[ref.Name] = tip{hash: ref.Hash}
		warm = true
	}
	return warm, nil
}

func (b *Backend) recallEnds(ctx context.Context, h store.Hash) error {
	list, err := b.options.Folder.Object(ctx, h)
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
	for ctx.Err() == nil {
		select {
		case <-b.someChange():
		case <-ctx.Done():
		}
		b.delay(ctx)
		if err := b.write(context.WithoutCancel(ctx)); err != nil {
			b.log.Error("the folder does not remember the refs", "error", err)
		}
	}
}

func (b *Backend) delay(ctx context.Context) {
	t := time.NewTimer(rememberAfter)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
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

// write makes the folder remember what is now.
func (b *Backend) write(ctx context.Context) error {
	b.mu.Lock()
	if !b.dirty {
		b.mu.Unlock()
		return nil
	}
	b.dirty = false
	want := map[string]store.Hash{}
	for name, t := range b.refs {
		want[name] = t.hash
	}
	var ends strings.Builder
	for h := range b.shallow {
		ends.WriteString(h.String() + "\n")
	}
	b.mu.Unlock()
	list := object.Object{Type: object.TypeBlob, Data: []byte(ends.String())}
	want[endsRef] = list.Hash()
	var changes []store.RefChange
	for ref, err := range b.options.Folder.Refs(ctx, "refs/") {
		if err != nil {
			return err
		}
		if ref.Hash != want[ref.Name] {
			changes = append(changes, store.RefChange{Name: ref.Name, Old: ref.Hash, New: want[ref.Name]})
		}
		delete(want, ref.Name)
	}
	for name, h := range want {
		changes = append(changes, store.RefChange{Name: name, New: h})
	}
	if len(changes) == 0 {
		return nil
	}
	return b.options.Folder.Commit(ctx, []object.Object{list}, changes)
}
