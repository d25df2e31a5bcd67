package mem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

var (
	_ store.Receiver = (*Backend)(nil)
	_ store.Packed   = (*Backend)(nil)
)

// baseCacheBytes is what is kept of delta bases that have been unpacked.
const baseCacheBytes = 8 << 20

// Receive implements store.Receiver. The pack stays in memory as it was sent.
func (b *Backend) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	in, ok := r.(*bufio.Reader)
	if !ok {
		in = bufio.NewReader(r)
	}
	spool := &pack.Buffer{}
	received, err := pack.Receive(ctx, in, spool, base, pack.Limits(lim))
	if err != nil {
		return nil, tooLarge(err)
	}
	index, err := pack.OpenIndex(received.Index())
	if err != nil {
		return nil, err
	}
	p, err := pack.Open(spool, received.Size, index, b.bases)
	if err != nil {
		return nil, err
	}
	return &quarantine{b: b, received: received, packed: packed{p}}, nil
}

// tooLarge makes the store's error of the pack's.
func tooLarge(err error) error {
	if errors.Is(err, pack.ErrTooLarge) {
		return fmt.Errorf("%w: %w", store.ErrTooLarge, err)
	}
	return err
}

// A quarantine is one received pack.
type quarantine struct {
	packed
	b        *Backend
	received *pack.Received
}

// All implements store.Quarantine.
func (q *quarantine) All() iter.Seq2[store.Hash, object.Type] { return q.received.All() }

// Keep implements store.Quarantine.
func (q *quarantine) Keep(context.Context) error {
	q.b.mu.Lock()
	defer q.b.mu.Unlock()
	if !slices.Contains(q.b.packs, q.packed) {
		q.b.packs = append(q.b.packs, q.packed)
	}
	return nil
}

// Discard implements store.Quarantine. There is nothing to do: the garbage
// collector does it.
func (q *quarantine) Discard() {}

// A packed reads objects from a pack.
type packed struct{ p *pack.Pack }

func (p packed) place(h store.Hash) (int64, error) {
	offset, ok := p.p.Index().Find(h)
	if !ok {
		return 0, absent(h)
	}
	return offset, nil
}

// Object implements store.Objects.
func (p packed) Object(_ context.Context, h store.Hash) (object.Object, error) {
	offset, err := p.place(h)
	if err != nil {
		return object.Object{}, err
	}
	o, err := p.p.Object(offset)
	return o, tooLarge(err)
}

// Stat implements store.Objects.
func (p packed) Stat(_ context.Context, h store.Hash) (object.Type, int64, error) {
	offset, err := p.place(h)
	if err != nil {
		return 0, 0, err
	}
	return p.p.Stat(offset)
}

// Open implements store.Objects.
func (p packed) Open(_ context.Context, h store.Hash) (io.ReadCloser, error) {
	offset, err := p.place(h)
	if err != nil {
		return nil, err
	}
	return p.p.Open(offset)
}

// Entry implements store.Packed for objects that came in a pack. Those that
// were committed one by one are not stored in such a form.
func (b *Backend) Entry(_ context.Context, h store.Hash) (store.Entry, bool, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, p := range b.packs {
		if offset, err := p.place(h); err == nil {
			e, err := p.p.Entry(offset)
			return store.Entry(e), err == nil, err
		}
	}
	if _, ok := b.objects[h]; ok {
		return store.Entry{}, false, nil
	}
	return store.Entry{}, false, absent(h)
}
