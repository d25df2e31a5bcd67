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

// maxLooks bounds how often an object is looked for while others keep repacking
// the repository, or adding to it: where many objects are fetched at once, new packs
// come between nearly all looks.
const maxLooks = 500

// look finds an object and hands it to inPack, with a reference to the pack, or
// to loose. Git writes the new place before it removes the old one; so what is in
// neither place is absent once the list of packs has proved to be current.
func (d *Dir) look(ctx context.Context, h store.Hash, inPack func(*packFile, int64) error, loose func(*looseReader) error) error {
	for range maxLooks {
		if err := ctx.Err(); err != nil {
			return err
		}
		list := d.packs.acquire()
		err := d.lookIn(list, h, inPack, loose)
		changed := errors.Is(err, errPackGone)
		if errors.Is(err, fs.ErrNotExist) {
			var scanErr error
			if changed, scanErr = d.rescan(list); scanErr != nil {
				err = scanErr
			} else if !changed {
				err = fs.ErrNotExist // and not which file it is that is not there
			}
		}
		list.release()
		if !changed {
			return objectError(h, err)
		}
	}
	return fmt.Errorf("object %s: its packs keep being removed", h)
}

// lookIn looks in the packs of list and among the loose objects. Of several copies one
// that is not damaged serves.
func (d *Dir) lookIn(list *packList, h store.Hash, inPack func(*packFile, int64) error, loose func(*looseReader) error) error {
	var damage error
	for from := 0; ; {
		p, offset, at, ok := list.find(&d.packs, h, from)
		if !ok {
			break
		}
		err := inPack(p, offset)
		if err == nil || errors.Is(err, pack.ErrTooLarge) {
			return err
		}
		if errors.Is(err, errPackGone) {
			d.packs.change(nil, func(q *packFile) bool { return p == q })
			return err
		}
		damage = fmt.Errorf("in %s: %w", p.name, err)
		from = at + 1
	}
	l, err := d.openLoose(h)
	if err == nil {
		return loose(l)
	}
	if damage != nil {
		return damage
	}
	return err
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
