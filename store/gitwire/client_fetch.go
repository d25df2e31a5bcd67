package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
)

// fetch lists the refs and receives what is missing of the wanted ones.
func (c *Client) fetch(ctx context.Context, w *remoteWire, f FetchRequest) ([]store.Ref, error) {
	refs, err := w.listRefs(f.Prefixes)
	if err != nil {
		return nil, err
	}
	local := newReach(newGraph(f.objects()), f.Have)
	wants, err := f.lacking(ctx, local, refs)
	if err != nil || len(wants) == 0 {
		return refs, err
	}
	haves, err := haves(ctx, f.objects(), f.Have)
	if err != nil {
		return nil, err
	}
	pack, err := w.askForPack(wants, haves)
	if err != nil {
		return nil, w.wrong(err)
	}
	if err := c.receive(ctx, pack, f, local, wants); err != nil {
		return nil, w.wrong(err)
	}
	return refs, nil
}

// lacking returns the hashes that are wanted and not reachable from Have.
func (f *FetchRequest) lacking(ctx context.Context, local *reach, refs []store.Ref) ([]store.Hash, error) {
	var wanted []store.Hash
	if f.Want != nil {
		wanted = f.Want(refs)
	} else {
		for _, ref := range refs {
			wanted = append(wanted, ref.Hash)
		}
	}
	var lacking []store.Hash
	seen := make(map[store.Hash]bool)
	for _, h := range wanted {
		if h.IsZero() || seen[h] {
			continue
		}
		seen[h] = true
		ok, err := local.commit(ctx, h)
		if err != nil {
			return nil, err
		}
		if !ok {
			lacking = append(lacking, h)
		}
	}
	return lacking, nil
}

// receive takes the pack into Into, once it is found complete.
func (c *Client) receive(ctx context.Context, pack io.Reader, f FetchRequest, local *reach, wants []store.Hash) error {
	bases := &thinBases{objs: f.objects(), reach: local}
	q, err := f.Into.Receive(ctx, pack, bases.base, c.Limits)
	if err != nil {
		return fmt.Errorf("receive pack: %w", err)
	}
	defer q.Discard()
	if b, ok := pack.(*bandReader); ok {
		if err := b.finish(); err != nil {
			return fmt.Errorf("read past the pack: %w", err)
		}
	}
	check := newConnectivity(q, f.objects(), local, nil)
	for _, h := range wants {
		if err := check.check(ctx, h); err != nil {
			return fmt.Errorf("check %s: %w", h, err)
		}
	}
	if err := q.Keep(ctx); err != nil {
		return fmt.Errorf("keep pack: %w", err)
	}
	return nil
}

// askForPack sends wants and haves in one request, whose answer begins the pack.
func (w *remoteWire) askForPack(wants, haves []store.Hash) (io.Reader, error) {
	if w.version == 2 {
		return w.askV2(wants, haves)
	}
	return w.askV0(wants, haves)
}

// maxSectionLines is how many lines may come before a pack: none is asked for.
const maxSectionLines = 1 << 12

// askV2 runs the command fetch (gitprotocol-v2, "fetch").
func (w *remoteWire) askV2(wants, haves []store.Hash) (io.Reader, error) {
	if !w.can("fetch") {
		return nil, errors.New("the remote cannot be fetched from")
	}
	r, err := w.ask(func(to io.Writer) error {
		p := newPktWriter(to)
		w.command(p, "fetch")
		p.line("thin-pack\n")
		p.line("ofs-delta\n")
		for _, h := range wants {
			p.linef("want %s\n", h)
		}
		for _, h := range haves {
			p.linef("have %s\n", h)
		}
		p.line("done\n")
		p.flush()
		return p.send()
	})
	if err != nil {
		return nil, err
	}
	// Other sections may come before the pack.
	for range maxSectionLines {
		kind, line, err := remoteLine(r)
		switch {
		case err != nil:
			return nil, err
		case kind == pktFlush:
			return nil, errors.New("the remote sends no pack")
		case kind == pktData && line == "packfile":
			return &bandReader{r: r, progress: w.progress}, nil
		}
	}
	return nil, errors.New("the remote sends no pack")
}

// askV0 asks in protocol v0 or v1 (gitprotocol-pack, "Packfile Negotiation"),
// without multi_ack: exactly one line answers the haves.
func (w *remoteWire) askV0(wants, haves []store.Hash) (io.Reader, error) {
	bands := w.can("side-band-64k")
	caps := ""
	for _, name := range []string{"side-band-64k", "thin-pack", "ofs-delta"} {
		if w.can(name) {
			caps += " " + name
		}
	}
	if w.can("agent") {
		caps += " agent=" + agent
	}
	r, err := w.ask(func(to io.Writer) error {
		p := newPktWriter(to)
		for i, h := range wants {
			if i > 0 {
				caps = ""
			}
			p.linef("want %s%s\n", h, caps)
		}
		p.flush()
		for _, h := range haves {
			p.linef("have %s\n", h)
		}
		p.line("done\n")
		return p.send()
	})
	if err != nil {
		return nil, err
	}
	kind, line, err := remoteLine(r)
	switch {
	case err != nil:
		return nil, err
	case kind != pktData || line != "NAK" && !strings.HasPrefix(line, "ACK "):
		return nil, errors.New("malformed answer to what was asked for")
	case bands:
		return &bandReader{r: r, progress: w.progress}, nil
	}
	return r.rest(), nil
}

// objects reads what Into holds.
func (f *FetchRequest) objects() store.Objects {
	if f.Objs != nil {
		return f.Objs
	}
	return f.Into.(store.Objects)
}
