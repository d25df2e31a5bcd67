package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
)

// bring fetches what refs have moved to: of branches that are new here the newest commit
// only, unless their history is wanted.
func (b *Backend) bring(ctx context.Context, moves []move) error {
	able, err := b.able(ctx)
	if err != nil {
		return err
	}
	var whole, tips, rest []store.Hash
	single := able.Shallow && able.WantAny
	for _, m := range moves {
		switch {
		case m.new.IsZero() || b.holds(ctx, m.new):
		case !m.old.IsZero():
			rest = append(rest, m.new)
		case single && !b.options.History(m.name):
			tips = append(tips, m.new)
		default:
			whole = append(whole, m.new)
		}
	}
	full := 0
	if able.Shallow && len(b.cuts()) > 0 {
		full = gitwire.FullDepth
	}
	err = b.bringPart(ctx, able, gitwire.FetchRequest{Objects: rest}, b.options.Timeout)
	if err != nil && single && !isTemporary(err) && ctx.Err() == nil {
		// The host takes it that with a commit we have all that it stands on. Of what is behind it
		// memory may have let go.
		alone := gitwire.FetchRequest{Objects: rest, Depth: 1, Have: []store.Ref{}}
		err = b.bringPart(ctx, able, alone, slow*b.options.Timeout)
	}
	if err == nil {
		err = b.bringPart(ctx, able, gitwire.FetchRequest{Objects: whole, Depth: full}, slow*b.options.Timeout)
	}
	if err == nil {
		err = b.bringPart(ctx, able, gitwire.FetchRequest{Objects: tips, Depth: 1}, slow*b.options.Timeout)
	}
	return err
}

func (b *Backend) bringPart(ctx context.Context, able gitwire.Abilities, f gitwire.FetchRequest, limit time.Duration) error {
	if len(f.Objects) == 0 {
		return nil
	}
	if able.Filter {
		f.Filter = b.options.Filter
	}
	return b.fetch(ctx, f, limit)
}

// fetch asks the host for objects. Of the request it fills in what is here. The host may stand
// still for as long as limit.
func (b *Backend) fetch(ctx context.Context, f gitwire.FetchRequest, limit time.Duration) error {
	if f.Depth > 1 {
		b.deepen.Lock()
		defer b.deepen.Unlock()
	}
	begin := time.Now()
	ctx, watch := newWatch(ctx, limit)
	defer watch.stop()
	f.Into = watch.receiver(b.objects.Fetched())
	f.Objs = b.objects.Held()
	if f.Have == nil {
		f.Have = b.list("")
	}
	f.Shallow = b.cuts()
	f.Partial = b.forgetful
	got, err := b.host.Fetch(ctx, f)
	err = watch.cause(err)
	if err != nil {
		b.noteAway(err)
	} else {
		b.answered()
		b.cut(ctx, got.Shallow, got.Unshallow)
	}
	b.options.Observe(Event{Kind: Fetched, Took: time.Since(begin), Objects: len(f.Objects), Bytes: watch.bytes.Load(), Err: err})
	return err
}

// holds says whether an object is here.
func (b *Backend) holds(ctx context.Context, h store.Hash) bool {
	_, _, err := b.objects.Held().Stat(ctx, h)
	return err == nil
}

// bringMissing is what objects that somebody reads come by when they are not here: these, and
// nothing below or behind them where the host can be told so. A commit at which history ends
// here comes with more of it.
func (b *Backend) bringMissing(ctx context.Context, names []store.Hash) error {
	if err := b.reachable(); err != nil {
		return err
	}
	able, err := b.able(ctx)
	if err != nil {
		return err
	}
	if !able.WantAny {
		return fs.ErrNotExist
	}
	var rest []store.Hash
	for _, h := range names {
		if ends := b.endsBefore(h); len(ends) > 0 {
			if err := b.lengthen(ctx, ends); err != nil {
				return err
			}
		} else if !b.absent.has(h) {
			rest = append(rest, h)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	// Of a commit that we have, the host would take it that we have all its files too.
	f := gitwire.FetchRequest{Objects: rest, Have: []store.Ref{}}
	if able.Shallow {
		f.Depth = 1
	}
	if able.Filter {
		f.Filter = "tree:0"
	}
	err = b.fetch(ctx, f, b.options.Timeout)
	if missing, ok := errors.AsType[*gitwire.MissingError](err); ok {
		b.absent.add(missing.Object)
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if errors.Is(err, fs.ErrNotExist) { // not an object, but the repository
		return fmt.Errorf("%w: %v", store.ErrTemporary, err)
	}
	return err
}
