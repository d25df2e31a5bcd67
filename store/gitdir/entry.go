package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cairn/store"
	"cairn/store/pack"
)

// Entry implements store.Packed. Loose objects have no form that a pack could hold.
func (d *Dir) Entry(ctx context.Context, h store.Hash) (e store.Entry, ok bool, err error) {
	err = d.look(ctx, h,
		func(p *packFile, offset int64) error {
			defer p.release()
			raw, err := p.Entry(offset)
			if err != nil {
				return err
			}
			e, ok = p.entry(raw), true
			return nil
		},
		func(l *looseReader) error { return l.Close() })
	return e, ok, err
}

// entry makes a store.Entry. Its Reader holds on to the pack while it is open.
func (p *packFile) entry(raw pack.Entry) store.Entry {
	e := store.Entry{Type: raw.Type, Size: raw.Size, Base: raw.Base, Data: raw.Data}
	if raw.Reader == nil {
		return e
	}
	e.Reader = func() (io.ReadCloser, error) {
		if !p.acquire() {
			return nil, fmt.Errorf("read %s: %w: ask for the entry again", p.name, errors.Join(errPackGone, store.ErrTemporary))
		}
		r, err := raw.Reader()
		if err != nil {
			p.release()
			return nil, err
		}
		return &packedReader{r, p}, nil
	}
	return e
}
