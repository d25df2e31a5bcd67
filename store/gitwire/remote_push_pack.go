package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// An outgoingPack is what a push sends: objects that are at hand, or a selection.
// It can be written more than once.
type outgoingPack struct {
	objs []object.Object

	from store.Objects // nil: objs
	sel  *selection
	thin bool // there is something that deltas may lean on
}

// preparePack gathers what a push sends.
func preparePack(ctx context.Context, p *PushRequest) (*outgoingPack, error) {
	if p.From == nil {
		return &outgoingPack{objs: once(p.Objects)}, nil
	}
	g := newGraph(p.From)
	g.lenient = true
	var w wanted
	for _, h := range p.Have {
		_, end, t, err := g.peel(ctx, h)
		if errors.Is(err, fs.ErrNotExist) || err == nil && t != object.TypeCommit {
			continue
		}
		if err != nil {
			return nil, err
		}
		w.has = append(w.has, g.number(end))
	}
	for _, c := range p.Commands {
		if !c.New.IsZero() && !slices.Contains(p.Have, c.New) && !slices.Contains(w.hashes, c.New) {
			w.hashes = append(w.hashes, c.New)
		}
	}
	sel := newSelection(g, filter{}, func(int) {})
	if err := sel.collect(ctx, w); err != nil {
		return nil, fmt.Errorf("gather what to push: %w", err)
	}
	return &outgoingPack{from: p.From, sel: sel, thin: len(w.has) > 0}, nil
}

// once returns each of the objects once, in their order.
func once(objs []object.Object) []object.Object {
	seen := make(map[store.Hash]bool, len(objs))
	list := make([]object.Object, 0, len(objs))
	for _, o := range objs {
		if h := o.Hash(); !seen[h] {
			seen[h] = true
			list = append(list, o)
		}
	}
	return list
}

// write writes the pack. Deltas lean on what only the remote has if it completes
// thin packs, and name their base by its place if it reads that.
func (p *outgoingPack) write(ctx context.Context, to io.Writer, thin, ofsDelta bool) error {
	if p.from != nil {
		s := newPackSender(p.from, p.sel, to, pktPayloadMax)
		s.thin, s.ofsDelta = thin && p.thin, ofsDelta
		if err := s.send(ctx); err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
		return nil
	}
	w := pack.NewWriter(to, uint32(len(p.objs)), pack.Fast)
	for _, o := range p.objs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Object(o); err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return nil
}
