package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// maxPromisedBases is how many bases that are not at hand one pack may lean on.
// Each costs a round trip.
const maxPromisedBases = 256

// promisedBases hands out the objects that the deltas of a thin pack lean on, in
// a store that may have let go of them: they are asked for, one by one, since they come
// up so.
type promisedBases struct {
	t     *fetching
	asked int
}

func (b *promisedBases) base(ctx context.Context, h store.Hash) (object.Object, error) {
	o, err := b.t.f.Objs.Object(ctx, h)
	if !errors.Is(err, fs.ErrNotExist) {
		return o, err
	}
	if b.asked++; b.asked > maxPromisedBases {
		return o, fmt.Errorf("the pack leans on more than %d objects that are not here", maxPromisedBases)
	}
	o, err = b.t.remote.one(ctx, b.t.f.Into, h)
	if err != nil {
		return o, fmt.Errorf("fetch base %s: %w", h, err)
	}
	return o, nil
}

// one fetches a single object without keeping it.
func (r *Remote) one(ctx context.Context, into store.Receiver, h store.Hash) (o object.Object, err error) {
	err = r.read(ctx, false, func(w *remoteWire) error {
		q, err := w.onlyObject(ctx, into, h, r.client.Limits)
		if err != nil {
			return w.wrong(err)
		}
		defer q.Discard()
		o, err = q.Object(ctx, h)
		return err
	})
	return o, err
}

// onlyObject asks for one object and nothing that it leads to: tree:0 stops below a
// tree and deepen 1 before a commit's parents.
func (w *remoteWire) onlyObject(ctx context.Context, into store.Receiver, h store.Hash, lim store.Limits) (store.Quarantine, error) {
	t := &fetching{w: w, f: &FetchRequest{Filter: "tree:0"}, got: new(Fetched), wants: []store.Hash{h}}
	if w.canFetch("shallow") {
		t.f.Depth = 1
	}
	if err := t.able(); err != nil {
		return nil, err
	}
	n := &round{done: true, whole: true}
	a, err := t.ask(n)
	if err != nil {
		return nil, err
	}
	lim.Objects = 16
	q, err := into.Receive(ctx, a.pack, func(context.Context, store.Hash) (object.Object, error) {
		return object.Object{}, fs.ErrNotExist
	}, lim)
	if err != nil {
		return nil, err
	}
	if b, ok := a.pack.(*bandReader); ok {
		if err := b.finish(); err != nil {
			q.Discard()
			return nil, err
		}
	}
	return q, nil
}
