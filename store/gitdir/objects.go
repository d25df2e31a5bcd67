package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// Object implements store.Backend.
func (d *Dir) Object(ctx context.Context, h store.Hash) (o object.Object, err error) {
	err = d.look(ctx, h,
		func(p *packFile, offset int64) error {
			defer p.release()
			o, err = p.Object(offset)
			return err
		},
		func(l *looseReader) error {
			defer l.Close()
			o, err = l.all()
			return err
		})
	return o, err
}

// Stat implements store.Backend.
func (d *Dir) Stat(ctx context.Context, h store.Hash) (t object.Type, size int64, err error) {
	err = d.look(ctx, h,
		func(p *packFile, offset int64) error {
			defer p.release()
			t, size, err = p.Stat(offset)
			return err
		},
		func(l *looseReader) error {
			t, size = l.typ, l.size
			return l.Close()
		})
	return t, size, err
}

// Open implements store.Backend.
func (d *Dir) Open(ctx context.Context, h store.Hash) (r io.ReadCloser, err error) {
	err = d.look(ctx, h,
		func(p *packFile, offset int64) error {
			content, err := p.Open(offset)
			if err != nil {
				p.release()
				return err
			}
			r = &packedReader{content, p}
			return nil
		},
		func(l *looseReader) error {
			r = l
			return nil
		})
	return r, err
}

// A packedReader gives its pack back when it is closed.
type packedReader struct {
	io.ReadCloser
	pack *packFile
}

func (r *packedReader) Close() error {
	if r.pack == nil {
		return fs.ErrClosed
	}
	err := r.ReadCloser.Close()
	r.pack.release()
	r.pack = nil
	return err
}

// maxLooks bounds how often an object is looked for while others keep
// repacking the repository.
const maxLooks = 20

// look finds an object and hands it to inPack, with a reference to the pack, or
// to loose. Git writes the new place before it removes the old one; so what is in
// neither place is absent once the list of packs has proved to be current.
func (d *Dir) look(ctx context.Context, h store.Hash, inPack func(*packFile, int64) error, loose func(*looseReader) error) error {
	for range maxLooks {
		if err := ctx.Err(); err != nil {
			return err
		}
		list := d.packs.acquire()
		if p, offset, ok := list.find(&d.packs, h); ok {
			list.release()
			err := inPack(p, offset)
			if err == nil {
				return nil
			}
			if !errors.Is(err, errPackGone) {
				return objectError(h, err)
			}
			d.packs.change(nil, func(q *packFile) bool { return p == q })
			continue
		}
		l, err := d.openLoose(h)
		if err == nil {
			list.release()
			return objectError(h, loose(l))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			list.release()
			return err
		}
		changed, err := d.rescan(list)
		list.release()
		if err != nil {
			return objectError(h, err)
		}
		if !changed {
			return notFound(h)
		}
	}
	return fmt.Errorf("object %s: its packs keep being removed", h)
}

// objectError says which object an error is about, in the terms of package store.
func objectError(h store.Hash, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("object %s: %w", h, inStoreTerms(err))
}

// A tooLargeError is pack.ErrTooLarge as store.ErrTooLarge.
type tooLargeError struct{ error }

func (e tooLargeError) Unwrap() []error { return []error{e.error, store.ErrTooLarge} }

// inStoreTerms makes errors what callers of package store look for.
func inStoreTerms(err error) error {
	if errors.Is(err, pack.ErrTooLarge) {
		return tooLargeError{err}
	}
	return temporary(err)
}
