package gitdir

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// Receive implements store.Receiver. The pack is spooled to a file of our own,
// which nobody else looks at and which goes with this process.
func (d *Dir) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	q := &quarantine{stage: stage{d: d}}
	if err := q.receive(ctx, r, base, lim); err != nil {
		q.Discard()
		return nil, inStoreTerms(err)
	}
	return q, nil
}

// A quarantine is one received pack, first a file of ours, then one of the repository's.
type quarantine struct {
	stage    stage
	received *pack.Received
	index    *pack.Index
	pack     *pack.Pack
	kept     bool
}

func (q *quarantine) receive(ctx context.Context, r io.Reader, base pack.BaseFunc, lim store.Limits) error {
	spool, err := q.stage.create()
	if err != nil {
		return err
	}
	in, ok := r.(*bufio.Reader)
	if !ok {
		in = bufio.NewReaderSize(r, 64<<10)
	}
	if q.received, err = pack.Receive(ctx, in, spool, base, pack.Limits(lim)); err != nil {
		return err
	}
	idx := q.received.Index()
	if _, err := q.stage.addFile(idx); err != nil {
		return err
	}
	if q.received.Len() > 0 {
		q.stage.sum = q.received.Sum
	}
	if q.index, err = pack.OpenIndex(idx); err != nil {
		return err
	}
	if q.pack, err = pack.Open(spool, q.received.Size, q.index, q.stage.d.bases); err != nil {
		return err
	}
	q.received.Recall(q.pack)
	return nil
}

// All implements store.Quarantine.
func (q *quarantine) All() iter.Seq2[store.Hash, object.Type] { return q.received.All() }

// place finds an object in the pack, and where it is to be read from.
func (q *quarantine) place(h store.Hash) (offset int64, err error) {
	offset, ok := q.index.Find(h)
	if !ok {
		return 0, notFound(h)
	}
	return offset, nil
}

// Object implements store.Objects.
func (q *quarantine) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	offset, err := q.place(h)
	if err != nil {
		return object.Object{}, err
	}
	if q.kept {
		return q.stage.d.Object(ctx, h)
	}
	o, err := q.pack.Object(offset)
	return o, objectError(h, err)
}

// Stat implements store.Objects.
func (q *quarantine) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	offset, err := q.place(h)
	if err != nil {
		return 0, 0, err
	}
	if q.kept {
		return q.stage.d.Stat(ctx, h)
	}
	t, size, err := q.pack.Stat(offset)
	return t, size, objectError(h, err)
}

// Open implements store.Objects.
func (q *quarantine) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	offset, err := q.place(h)
	if err != nil {
		return nil, err
	}
	if q.kept {
		return q.stage.d.Open(ctx, h)
	}
	r, err := q.pack.Open(offset)
	return r, objectError(h, err)
}

// keepTime is how long a received pack has its .keep file: the refs that need it
// move within this time after Keep, or they find it without protection against
// a `git gc --prune=now`.
const keepTime = 30 * time.Second

// Keep implements store.Quarantine.
func (q *quarantine) Keep(ctx context.Context) error {
	if q.kept {
		return nil
	}
	d := q.stage.d
	if err := q.stage.sync(); err != nil {
		return fmt.Errorf("keep pack: %w", err)
	}
	p, err := q.stage.publish(ctx)
	if err != nil {
		return fmt.Errorf("keep pack: %w", err)
	}
	q.kept = true
	d.bases.Forget(q.pack)
	q.stage.discard()
	switch {
	case d.partial: // nobody takes it for garbage
		p.settle()
	case p.keep:
		d.keepFor(p, keepTime)
	}
	return nil
}

// Discard implements store.Quarantine.
func (q *quarantine) Discard() {
	if q.pack != nil {
		q.stage.d.bases.Forget(q.pack)
	}
	q.stage.discard()
}

// keepFor ends the protection of a pack after a time, or when the Dir is closed.
func (d *Dir) keepFor(p publication, t time.Duration) {
	d.work.Go(func() {
		select {
		case <-d.closed:
		case <-time.After(t):
		}
		p.settle()
	})
}
