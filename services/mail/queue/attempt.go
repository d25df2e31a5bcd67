package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"cairn/services/mail/queue/client"
)

// attempt sends a message and fills in the answers. A failure is one of the destination, not of this
// message; an error says that there was no attempt.
func (w *worker) attempt(ctx context.Context, parts []*part, raw []byte) (failure *answer, err error) {
	defer func() {
		if p := recover(); p != nil { // of one message or one server, which must not be the end of everything
			w.q.o.Log.Error("queue: fault", "what", summary(parts), "fault", p, "stack", string(debug.Stack()))
			w.hangUp()
			a := answer{status: "4.3.0", Text: "there was a fault in this server"}
			all(parts, a)
			failure, err = &a, nil
		}
	}()
	if w.to.err != nil {
		text := fmt.Sprintf("this server cannot say where mail goes: %v", w.to.err)
		a := answer{status: "4.3.5", Text: client.Printable(text, maxAnswer)}
		all(parts, a)
		return &a, nil
	}
	if w.to.local {
		return nil, w.deliver(ctx, parts, raw)
	}
	if w.used >= perSession {
		w.quit()
	}
	for {
		fresh := w.conn == nil
		if fresh {
			if err := w.connect(ctx, parts[0].entry.Domain); err != nil {
				if ctx.Err() != nil {
					return nil, errNotNow
				}
				a := asAnswer(err)
				all(parts, a)
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
	all(parts, a)
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
			all([]*part{p}, *a)
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
