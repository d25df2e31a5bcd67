package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"cairn/services/mail/queue/client"
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
	w.record(ctx, parts)
	if failure == nil {
		w.schedule.widen(w.lane)
		return
	}
	// Nobody there takes mail at the moment, so the rest need not try.
	w.schedule.narrow(w.lane)
	w.giveUp(ctx, *failure)
}

// giveUp gives all that is ready in the lane the same answer.
func (w *worker) giveUp(ctx context.Context, failure answer) {
	for rest := w.schedule.drain(w.lane); len(rest) > 0; {
		some := rest[:min(len(rest), 100)]
		rest = rest[len(some):]
		parts := w.entries(ctx, some)
		for _, p := range parts {
			p.all(failure)
		}
		w.record(ctx, parts)
	}
}

// load reads entries and their message, and puts back those whose time has not come.
func (w *worker) load(ctx context.Context, items []*item) (parts []*part, raw []byte, release func(), err error) {
	release = func() {}
	parts = w.entries(ctx, items)
	if len(parts) == 0 {
		return nil, nil, release, nil
	}
	n := min(2*parts[0].entry.Size, w.q.o.Memory) // the message, sealed and not
	if parts[0].entry.Size <= smallMessage {
		n = 0
	}
	if err = w.memory.Acquire(ctx, n); err == nil {
		release = func() { w.memory.Release(n) }
		raw, err = w.message(ctx, parts[0].item)
	}
	if err != nil {
		w.putBack(ctx, err, parts)
	}
	return parts, raw, release, err
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

// putBack has entries that could not be read looked at again in a minute. A store that is away comes
// back; what is damaged is not sent.
func (w *worker) putBack(ctx context.Context, err error, parts []*part) {
	for _, p := range parts {
		if ctx.Err() == nil {
			w.q.o.Log.Error("queue: cannot be read", "path", p.item.path, "error", err)
		}
		w.schedule.delay(p.item, w.q.o.Now().Add(time.Minute))
	}
}

func (w *worker) message(ctx context.Context, i *item) ([]byte, error) {
	t, err := w.q.branch.Tree(ctx)
	if err != nil {
		return nil, err
	}
	return w.q.unseal(t, i.folder()+"/"+messageFile)
}

func (p *part) all(a answer) {
	for i := range p.answers {
		p.answers[i] = a
	}
}

// attempt sends a message and fills in the answers. A failure is one of the destination, not of this
// message; an error says that there was no attempt.
func (w *worker) attempt(ctx context.Context, parts []*part, raw []byte) (failure *answer, err error) {
	if w.to.local {
		return nil, w.deliver(ctx, parts, raw)
	}
	if w.used >= perSession {
		w.hangUp()
	}
	for {
		fresh := w.conn == nil
		if fresh {
			if err := w.connect(ctx, parts[0].entry.Domain); err != nil {
				if ctx.Err() != nil {
					return nil, errNotNow
				}
				a := asAnswer(err)
				for _, p := range parts {
					p.all(a)
				}
				return &a, nil
			}
		}
		switch err := w.send(ctx, parts, raw); {
		case errors.Is(err, errStale) && !fresh:
			continue // it was closed while we had nothing to say, or does not take more messages
		case errors.Is(err, errStale):
			return &parts[0].answers[0], nil
		default:
			return nil, err
		}
	}
}

// deliver hands a message over to ourselves.
func (w *worker) deliver(ctx context.Context, parts []*part, raw []byte) error {
	var to []string
	for _, p := range parts {
		for _, r := range p.entry.To {
			to = append(to, r.Address)
		}
	}
	if !w.lease.valid() {
		return errLease
	}
	a := answer{sent: true, status: "2.1.5", Text: "delivered", noReports: true}
	if err := w.q.o.Deliver(ctx, parts[0].entry.From, to, raw); err != nil {
		if ctx.Err() != nil {
			return errNotNow
		}
		w.q.o.Log.Warn("queue: cannot be delivered here", "error", err)
		a = asAnswer(err)
	}
	for _, p := range parts {
		p.all(a)
	}
	return nil
}

// errStale is a connection that ended before anything was said about a message.
var errStale = errors.New("the connection is lost")

// send does one transaction on the connection that there is.
func (w *worker) send(ctx context.Context, parts []*part, raw []byte) error {
	asked := w.suited(parts)
	if len(asked) == 0 {
		return nil
	}
	t := w.transaction(ctx, asked, raw)
	res, err := w.conn.Send(t)
	w.used++
	if err != nil {
		w.hangUp()
	} else {
		w.guard(ctx)
	}
	switch {
	case errors.Is(err, errNotNow), err != nil && ctx.Err() != nil && !res.Doubtful:
		return errNotNow
	case err != nil && !res.Doubtful && silent(res.To):
		w.answers(asked, res, err)
		return errStale
	}
	w.answers(asked, res, err)
	return nil
}

// silent reports whether there are no answers but that the connection ends.
func silent(replies []client.Reply) bool {
	for _, r := range replies {
		if r != (client.Reply{}) && r.Code != 421 {
			return false
		}
	}
	return true
}

// suited returns the parts that the server can take, and answers for the others.
func (w *worker) suited(parts []*part) []*part {
	var asked []*part
	for _, p := range parts {
		if a := w.lacks(p.entry); a != nil {
			p.all(*a)
			continue
		}
		asked = append(asked, p)
	}
	return asked
}

func (w *worker) transaction(ctx context.Context, parts []*part, raw []byte) client.Transaction {
	e := parts[0].entry
	t := client.Transaction{
		From: e.From, RequireTLS: e.RequireTLS, EightBit: e.EightBit, Binary: e.Binary, EnvID: e.EnvID, Data: raw,
		Commit: func() error { return w.commit(ctx) },
	}
	if e.EnvID != "" || e.Full {
		t.Return = map[bool]string{true: "FULL", false: "HDRS"}[e.Full]
	}
	for _, p := range parts {
		t.UTF8 = t.UTF8 || p.entry.UTF8
		for _, r := range p.entry.To {
			t.To = append(t.To, client.Recipient{Address: wireAddress(r.Address, p.entry.Domain), Notify: r.Notify.String(), Original: r.Original})
		}
	}
	return t
}

// commit is the last moment to leave a message unsent: from here on the other side may have it, so
// that it is waited for what it says.
func (w *worker) commit(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return errNotNow
	case !w.lease.valid():
		return errLease
	}
	w.closer()
	drop := w.drop
	w.closer = context.AfterFunc(ctx, func() { time.AfterFunc(graceTime, drop) })
	return nil
}

// answers makes answers of a result.
func (w *worker) answers(parts []*part, res client.Result, err error) {
	_, reports := w.has("DSN")
	i := 0
	for _, p := range parts {
		for n := range p.answers {
			a := replied(w.host, res.To[i])
			switch {
			case res.To[i] != (client.Reply{}):
			case res.Doubtful:
				a = answer{status: "4.4.2", Text: w.host + " has got the message and did not say whether it takes it"}
			default:
				a = unreachable("4.4.2", w.host, err)
			}
			a.noReports = !reports
			p.answers[n] = a
			i++
		}
	}
}

// wireAddress returns an address as it is sent: with its domain in ASCII, if its local part is.
func wireAddress(address, domain string) string {
	if !asciiLocal(address) {
		return address
	}
	return address[:strings.LastIndexByte(address, '@')+1] + domain
}
