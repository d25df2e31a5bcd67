package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"cairn/services/mail/queue/client"
	"cairn/services/secrets"
)

// A worker carries what is ready in a lane, message by message, over one connection at a time.
type worker struct {
	*sender
	lane *lane
	to   target

	conn   *client.Conn // nil when there is none
	host   string       // whose it is
	secure bool         // TLS with somebody whom the recipients' domain, or our operator, has named
	closer func() bool  // stops what closes it when ctx ends
	drop   func()       // closes it from another goroutine
	used   int          // messages so far
}

// A part is an entry that is being dealt with.
type part struct {
	item    *item
	entry   *entry
	answers []answer // one for each of entry.To
}

// smallMessage is the size in bytes up to which a message does not count in Options.Memory.
const smallMessage = 1 << 20

var (
	errNotNow = errors.New("given up for now")
	errLease  = fmt.Errorf("%w: another process may send", errNotNow)
)

// do deals with what pick has taken: some entries of one message.
func (w *worker) do(ctx context.Context, items []*item) {
	parts, raw, release, err := w.load(ctx, items)
	defer release()
	if err != nil || len(parts) == 0 {
		return
	}
	failure, err := w.attempt(ctx, parts, raw)
	if err != nil {
		for _, p := range parts {
			w.schedule.delay(p.item, p.entry.Next) // as if nothing had been
		}
		return
	}
	m := w.q.moment()
	w.record(ctx, parts, m)
	if failure == nil {
		w.schedule.widen(w.lane)
		return
	}
	// Nobody there takes mail at the moment, so the rest need not try.
	w.schedule.narrow(w.lane)
	w.giveUp(ctx, *failure, m)
}

// giveUp gives all that is ready in the lane the same answer, so that the next time, too, one tries for all.
func (w *worker) giveUp(ctx context.Context, failure answer, m moment) {
	for rest := w.schedule.drain(w.lane); len(rest) > 0; {
		some := rest[:min(len(rest), 100)]
		rest = rest[len(some):]
		parts := w.entries(ctx, some)
		all(parts, failure)
		w.record(ctx, parts, m)
	}
}

// load reads entries and their message, and puts back those whose time has not come.
func (w *worker) load(ctx context.Context, items []*item) (parts []*part, raw []byte, release func(), err error) {
	release = func() {}
	parts = w.entries(ctx, items)
	if len(parts) == 0 {
		return nil, nil, release, nil
	}
	if release, err = w.reserve(ctx, parts[0].entry.Size); err == nil {
		raw, err = w.message(ctx, parts[0].item)
	}
	if err != nil {
		w.putBack(ctx, err, parts)
	}
	return parts, raw, release, err
}

// reserve waits until there is memory for a message, sealed and not. Small ones do not stand in line
// behind large ones.
func (w *worker) reserve(ctx context.Context, size int64) (release func(), err error) {
	if size <= smallMessage {
		return func() {}, nil
	}
	n := min(2*size, w.q.o.Memory)
	if err := w.memory.Acquire(ctx, n); err != nil {
		return func() {}, err
	}
	return func() { w.memory.Release(n) }, nil
}

// entries reads entries as they are now.
func (w *worker) entries(ctx context.Context, items []*item) []*part {
	var parts []*part
	t, err := w.q.branch.Tree(ctx)
	for _, i := range items {
		var e *entry
		failure := err
		if failure == nil {
			e, failure = w.q.readEntry(t, i.path)
		}
		switch {
		case errors.Is(failure, fs.ErrNotExist):
			w.schedule.done(i, nil)
		case failure != nil:
			w.putBack(ctx, failure, []*part{{item: i}})
		case e.Held || e.Next.After(w.q.o.Now()):
			w.schedule.done(i, e)
		default:
			parts = append(parts, &part{item: i, entry: e, answers: make([]answer, len(e.To))})
		}
	}
	return parts
}

// putBack has entries that could not be read looked at again in a minute: a store that is away comes
// back. What is damaged is not sent, unless it changes.
func (w *worker) putBack(ctx context.Context, err error, parts []*part) {
	again := w.q.o.Now().Add(time.Minute)
	for _, damage := range []error{secrets.ErrDamaged, secrets.ErrWrongSeed, fs.ErrNotExist} {
		if errors.Is(err, damage) {
			again = time.Time{}
		}
	}
	for _, p := range parts {
		if ctx.Err() == nil {
			w.q.o.Log.Error("queue: cannot be read", "path", p.item.path, "error", err)
		}
		w.schedule.delay(p.item, again)
	}
}

func (w *worker) message(ctx context.Context, i *item) ([]byte, error) {
	t, err := w.q.branch.Tree(ctx)
	if err != nil {
		return nil, err
	}
	return w.q.unseal(t, i.folder()+"/"+messageFile)
}

// all gives all recipients of some parts the same answer.
func all(parts []*part, a answer) {
	for _, p := range parts {
		for i := range p.answers {
			p.answers[i] = a
		}
	}
}
