package gitwire

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

// unpack takes the pack into quarantine. When that does not succeed, all
// commands are refused and the error is for the log.
func (p *receiving) unpack(ctx context.Context) error {
	receiver, ok := p.view.Backend.(store.Receiver)
	if !ok {
		p.refuseAll("this repository takes no packs")
		return nil
	}
	bases := &thinBases{objs: p.view.Backend, reach: p.reach}
	for _, c := range p.standing() {
		if !c.Old.IsZero() {
			bases.first = append(bases.first, c.Old)
		}
	}
	q, err := receiver.Receive(ctx, p.in.rest(), bases.base, p.view.Limits)
	if err != nil {
		p.unpacked = clientPackText(err)
		if bases.refused != "" {
			p.unpacked = bases.refused
		}
		p.refuseAll("unpacker error")
		return fmt.Errorf("receive pack: %w", err)
	}
	p.pack, p.packRead = q, true
	p.push.Objects = &overlay{first: q, then: p.view.Backend}
	return nil
}

// drain reads what the client has yet to say of a pack that was not taken, as
// far as a pack may go, so that the client gets to reading the report.
func (p *receiving) drain() error {
	if !p.request.needsPack() || p.packRead {
		return nil
	}
	limit := p.view.Limits.PackBytes
	if limit == 0 {
		limit = defaultPackBytes
	}
	if _, err := io.CopyN(io.Discard, p.in.rest(), limit); err != nil && err != io.EOF {
		return fmt.Errorf("read past the pack: %w", err)
	}
	return nil
}

// readEnd reads the end of a request over HTTP, so that the server can
// notice when the client leaves while it is waiting for the answer.
func (p *receiving) readEnd() {
	// What follows the pack, or the commands when there is none, is nothing.
	_, _ = io.CopyN(io.Discard, p.in.rest(), 1)
}

// defaultPackBytes is what Limits.PackBytes means when it is zero.
const defaultPackBytes = 2 << 30

// thinBases hands out the objects that the deltas of a thin pack may lean on:
// those that are reachable from the refs the pusher sees. A delta against anything
// else would hand out its content. Clients lean on objects of the
// commits they push onto, so those are looked at first.
type thinBases struct {
	objs    store.Objects
	reach   *reach // over objs
	first   []store.Hash
	begun   bool
	refused string // what the sender is told of a base that it did not get
}

// base is what Receiver.Receive calls, from one goroutine at a time.
func (b *thinBases) base(ctx context.Context, h store.Hash) (object.Object, error) {
	if !b.begun {
		b.begun = true
		if err := b.reach.beginWith(ctx, b.first); err != nil {
			return object.Object{}, err
		}
	}
	ok, err := b.reach.has(ctx, h)
	if err != nil {
		return object.Object{}, err
	}
	if !ok {
		b.refused = "unresolved deltas: " + string(errMissing)
		return object.Object{}, fmt.Errorf("base %s: %w", h, fs.ErrNotExist)
	}
	o, err := b.objs.Object(ctx, h)
	if errors.Is(err, store.ErrTooLarge) {
		b.refused = fmt.Sprintf("a delta on an object of more than %d MiB: push again with --no-thin", store.MaxObject>>20)
	}
	return o, err
}

// clientPackText is what a client may know of an error of Receive: what is
// wrong with the pack, but nothing about this machine.
func clientPackText(err error) string {
	var check *object.CheckError
	switch {
	case errors.As(err, &check):
		return check.Error()
	case errors.Is(err, store.ErrTooLarge), errors.Is(err, pack.ErrTooLarge):
		return "the pack or an object in it is larger than this repository takes"
	case errors.Is(err, pack.ErrFormat):
		return err.Error()
	}
	return clientText(err)
}

// An overlay reads from one store, and from another what is not in the first.
type overlay struct {
	first, then store.Objects
}

func (o *overlay) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	x, err := o.first.Object(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return o.then.Object(ctx, h)
	}
	return x, err
}

func (o *overlay) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	t, size, err := o.first.Stat(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return o.then.Stat(ctx, h)
	}
	return t, size, err
}

func (o *overlay) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	r, err := o.first.Open(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return o.then.Open(ctx, h)
	}
	return r, err
}
