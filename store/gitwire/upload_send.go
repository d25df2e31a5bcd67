package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// uploadKeepAlive is how long the client hears nothing while objects are being
// gathered, before an empty line tells it that somebody is there.
const uploadKeepAlive = 5 * time.Second

// progressEvery is the time between two reports of progress.
const progressEvery = 500 * time.Millisecond

// errTruncated says that a pack without bands ended too early: only a cut
// connection can tell that to the client.
var errTruncated = errors.New("pack is incomplete")

// sendPack answers with the pack that the request asks for. From here on
// errors are told on the error band.
func (u *upload) sendPack(ctx context.Context, q *uploadRequest, c *historyCut, n *negotiation) error {
	u.packing = true
	if err := u.w.send(); err != nil {
		return err
	}
	if q.bands == bandsNone {
		if err := u.pack(ctx, q, c, n, u.w.w, io.Discard, pktPayloadMax); err != nil {
			return fmt.Errorf("%w: %w", errTruncated, err)
		}
		return nil
	}
	bands := newSideband(u.w.w, q.bands == bandsOld)
	progress := io.Discard
	if !q.noProgress {
		progress = bands.band(bandProgress)
	}
	err := guard(func() error {
		stop := bands.keepAlive(uploadKeepAlive)
		defer stop()
		return u.pack(ctx, q, c, n, bands.band(bandData), progress, bands.max-1)
	})
	if err != nil {
		fmt.Fprintf(bands.band(bandError), "upload-pack: %s\n", clientText(err))
		return err
	}
	return bands.flush()
}

// pack gathers the objects and writes the pack in pieces of the given size.
func (u *upload) pack(ctx context.Context, q *uploadRequest, c *historyCut, n *negotiation, w, progress io.Writer, piece int) error {
	report := &progressReport{w: progress, last: time.Now()}
	sel := newSelection(u.g, q.filter, report.found)
	err := sel.collect(ctx, wanted{
		hashes: append(slices.Clone(q.wants), c.wants...),
		has:    append(slices.Clone(c.edges), n.commons...),
		grafts: c.grafts,
	})
	if err != nil {
		return err
	}
	if q.includeTag {
		tags, err := tagRefs(ctx, u.g, u.refs)
		if err != nil {
			return err
		}
		sel.includeTags(tags)
	}
	fmt.Fprintf(progress, "Enumerating objects: %d, done.\n", len(sel.list))
	p := newPackSender(u.v.Backend, sel, w, piece)
	p.thin = q.thin && q.filter == (filter{})
	p.ofsDelta = q.ofsDelta
	if err := p.send(ctx); err != nil {
		return err
	}
	fmt.Fprintf(progress, "Total %d (delta %d), reused %d (delta %d), pack-reused 0\n",
		len(sel.list), p.deltas, p.reused, p.deltas)
	return nil
}

// A progressReport tells a person now and then how far the gathering is.
type progressReport struct {
	w    io.Writer
	last time.Time
}

func (p *progressReport) found(n int) {
	if n%1024 != 0 || time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.w, "Enumerating objects: %d\r", n)
}

// keepAlive sends an empty line whenever nothing has been sent for so long,
// until stop is called. stop waits for the line under way.
func (s *sideband) keepAlive(every time.Duration) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if s.quiet(every) {
					s.write(bandData, nil)
				}
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}
