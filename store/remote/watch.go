package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A watch ends a conversation in which nothing has happened for some time. What
// goes through its readers is something that happens.
type watch struct {
	ctx   context.Context // of one conversation, which the watch does not outlive
	end   context.CancelCauseFunc
	timer *time.Timer
	limit time.Duration
	bytes atomic.Int64 // received
}

// slow is how many times longer a host may be silent that has much to do before it answers.
const slow = 6

func newWatch(ctx context.Context, limit time.Duration) (context.Context, *watch) {
	ctx, end := context.WithCancelCause(ctx)
	w := &watch{ctx: ctx, end: end, limit: limit}
	w.timer = time.AfterFunc(w.limit, func() { end(errStalled) })
	return ctx, w
}

func (w *watch) stop() {
	w.timer.Stop()
	w.end(nil)
}

func (w *watch) alive() { w.timer.Reset(w.limit) }

// slowLine is how many bytes a second we send at least: less is a host that stands still.
const slowLine = 16 << 10

// sends puts the clock back for as long as so many bytes may take to be sent.
func (w *watch) sends(bytes int64) {
	w.timer.Reset(w.limit + time.Duration(bytes/slowLine)*time.Second)
}

// pause stops the clock while we are at work and nothing is expected of the host, until alive.
func (w *watch) pause() { w.timer.Stop() }

// cause says of an error that it comes from the end of the watch, if it does.
func (w *watch) cause(err error) error {
	if err != nil && context.Cause(w.ctx) == errStalled && !errors.Is(err, store.ErrTemporary) {
		return fmt.Errorf("%w: %w", errStalled, err)
	}
	return err
}

// receiver watches packs that come in.
func (w *watch) receiver(r store.Receiver) store.Receiver { return watchedReceiver{w, r} }

type watchedReceiver struct {
	w *watch
	r store.Receiver
}

// Receive implements store.Receiver.
func (r watchedReceiver) Receive(ctx context.Context, in io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	defer r.w.alive()
	awaited := base
	if base != nil { // which may ask the host too
		awaited = func(ctx context.Context, h store.Hash) (object.Object, error) {
			r.w.alive()
			defer r.w.pause()
			return base(ctx, h)
		}
	}
	pack := &awaitedReader{w: r.w, r: in, left: r.w.limit}
	q, err := r.r.Receive(ctx, pack, awaited, lim)
	if err != nil && ctx.Err() == nil && !pack.broken {
		err = &hereError{err}
	}
	if err != nil {
		return nil, err
	}
	return watchedQuarantine{q, r.w}, nil
}

// An awaitedReader is a pack on its way: the clock runs while we wait for more of it, not
// while we unpack what has come. It is put back when enough has come.
type awaitedReader struct {
	w    *watch
	r    io.Reader
	left time.Duration // on the clock
	some int           // bytes since it was put back

	broken bool // it has ended before its end
}

// enough is how many bytes have to come within the limit: a host that sends one now and then
// stands still.
const enough = 8 << 10

func (r *awaitedReader) Read(p []byte) (int, error) {
	begin := time.Now()
	r.w.timer.Reset(max(r.left, 0))
	defer r.w.pause()
	n, err := r.r.Read(p)
	r.w.bytes.Add(int64(n))
	r.broken = r.broken || err != nil && err != io.EOF
	r.left -= time.Since(begin)
	if r.some += n; r.some >= enough {
		r.left, r.some = r.w.limit, 0
	}
	return n, err
}

// A watchedQuarantine is a pack that has come: what is done with it takes its time.
type watchedQuarantine struct {
	store.Quarantine
	w *watch
}

func (q watchedQuarantine) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	q.w.alive()
	return q.Quarantine.Object(ctx, h)
}

func (q watchedQuarantine) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	q.w.alive()
	return q.Quarantine.Stat(ctx, h)
}

func (q watchedQuarantine) Keep(ctx context.Context) error {
	q.w.pause()
	defer q.w.alive()
	if err := q.Quarantine.Keep(ctx); err != nil {
		return &hereError{err}
	}
	return nil
}

type watchedReader struct {
	w *watch
	r io.Reader
}

func (r watchedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.w.alive()
	r.w.bytes.Add(int64(n))
	return n, err
}

// objects watches objects that are read to be sent.
func (w *watch) objects(s storage) store.Objects { return watchedObjects{w, s} }

type watchedObjects struct {
	w *watch
	storage
}

func (o watchedObjects) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	o.w.alive()
	obj, err := o.storage.Object(ctx, h)
	o.w.sends(int64(len(obj.Data)))
	return obj, err
}

func (o watchedObjects) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	o.w.alive()
	return o.storage.Stat(ctx, h)
}

func (o watchedObjects) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	r, err := o.storage.Open(ctx, h)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{watchedReader{o.w, r}, r}, nil
}

func (o watchedObjects) Entry(ctx context.Context, h store.Hash) (store.Entry, bool, error) {
	o.w.alive()
	e, ok, err := o.storage.Entry(ctx, h)
	o.w.sends(int64(len(e.Data)))
	return e, ok, err
}
