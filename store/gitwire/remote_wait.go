package gitwire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/store"
)

// Wait returns when the refs that begin with one of the prefixes differ from
// those known, with the refs as they are then. known is what Refs or Wait has returned
// for the same prefixes. A host that cannot wait gives errors.ErrUnsupported, one
// that has too many waiting already store.ErrTemporary: the caller asks now and then.
func (r *Remote) Wait(ctx context.Context, prefixes []string, known []store.Ref) ([]store.Ref, error) {
	digest := digestRefs(known)
	longest := min(maxWait, r.client.stall()/2)
	for {
		began := time.Now()
		var refs []store.Ref
		err := r.read(ctx, false, func(w *remoteWire) (err error) {
			refs, err = w.waitOnce(prefixes, digest, longest)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("wait for refs of %s: %w", r, err)
		}
		if digestRefs(refs) != digest {
			return refs, nil
		}
		if time.Since(began) < min(time.Second, longest/2) {
			return nil, fmt.Errorf("%w: %s does not wait, it may be about to stop", store.ErrTemporary, r)
		}
	}
}

// waitOnce asks once; the answer may say that nothing has changed.
func (w *remoteWire) waitOnce(prefixes []string, digest string, longest time.Duration) ([]store.Ref, error) {
	if w.version != 2 || !w.can(waitCommand) {
		return nil, fmt.Errorf("the remote does not tell of changes: %w", errors.ErrUnsupported)
	}
	r, err := w.askV2(waitCommand, func(p *pktWriter) {
		p.linef("known %s\n", digest)
		p.linef("seconds %d\n", max(1, int(longest/time.Second)))
		for _, prefix := range prefixes {
			p.linef("ref-prefix %s\n", prefix)
		}
	})
	if err != nil {
		return nil, w.wrong(err)
	}
	kind, line, err := w.line(r)
	switch {
	case err != nil:
		return nil, w.wrong(err)
	case kind == pktData && line == waitBusy:
		return nil, fmt.Errorf("%w: the remote has too many who wait", store.ErrTemporary)
	case kind != pktData || line != waitRefs:
		return nil, errors.New("malformed answer")
	}
	refs, err := w.readRefs(r)
	if err != nil {
		return nil, w.wrong(err)
	}
	slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}
