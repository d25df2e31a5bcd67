package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"cairn/services/mail/queue/client"
	"cairn/services/mail/queue/dsn"
	"cairn/store"
)

// A moment is that of an attempt. What waits for the same host and failed in the same moment is tried
// again in the same one.
type moment struct {
	now    time.Time
	random float64 // of the next pause
}

func (q *Queue) moment() moment { return moment{q.o.Now().UTC().Round(0), rand.Float64()} }

// record writes down what came of an attempt, in one commit with the reports that follow from it. It
// does not give up before that is done: until then nobody but us knows, and the message would be
// sent again.
func (w *worker) record(ctx context.Context, parts []*part, m moment) {
	if len(parts) == 0 {
		return
	}
	ch := store.Change{Message: "queue: " + summary(parts)}
	var after []*entry
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(graceTime, cancel) })()
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := w.q.branch.Update(last, ch, func(tx *store.Tx) (err error) {
			after, err = w.q.settle(tx, parts, m)
			return err
		})
		if err == nil {
			break
		}
		w.q.o.Log.Error("queue: cannot write down what was sent; trying until it can", "what", summary(parts), "error", err)
		if ctx.Err() != nil {
			wait = time.Second // there is not much time left
		}
		if !sleep(last, wait) {
			return // the items stay taken: this Run is at its end
		}
	}
	for i, p := range parts {
		w.log(p)
		w.schedule.done(p.item, after[i])
	}
}

// settle brings the answers into the entries of a Tx and returns those that remain, nil for the others.
func (q *Queue) settle(tx *store.Tx, parts []*part, m moment) ([]*entry, error) {
	after := make([]*entry, len(parts))
	reports := map[string]*report{} // by the message's folder
	for n, p := range parts {
		path := p.item.path
		e, err := q.readEntry(tx, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped meanwhile
		}
		if err != nil {
			return nil, err
		}
		dir := p.item.folder()
		if reports[dir] == nil {
			reports[dir] = &report{entry: e}
		}
		q.apply(e, p, reports[dir], m)
		if len(e.To) > 0 {
			after[n] = e
			if err := q.writeEntry(tx, path, e); err != nil {
				return nil, err
			}
		}
	}
	if err := q.putReports(tx, reports); err != nil {
		return nil, err
	}
	for n, p := range parts {
		if _, err := tx.Lookup(p.item.path); err == nil && after[n] == nil {
			if err := removeEntry(tx, p.item.path, p.item.folder()); err != nil {
				return nil, err
			}
		}
	}
	return after, nil
}

// apply takes the answers of a part into its entry.
func (q *Queue) apply(e *entry, p *part, r *report, m moment) {
	answers := map[string]answer{}
	for i, to := range p.entry.To {
		answers[to.Address] = p.answers[i]
	}
	age := m.now.Sub(e.Queued)
	warn := age >= warnAge && !e.Warned
	progress, soon := false, true
	var rest []Waiting
	for _, to := range e.To {
		a, ok := answers[to.Address]
		if !ok {
			rest = append(rest, to)
			continue
		}
		if !a.sent && !a.final && age >= maxAge {
			a.final = true
			a.status = "4.4.7"
			a.Text = "it could not be delivered for five days. The last answer: " + a.Text
		}
		to.Answer = client.Printable(a.Text, maxAnswer)
		switch {
		case a.sent:
			progress = true
			if to.Notify&Success != 0 && a.noReports {
				r.add(to, a, relayed(a))
			}
		case a.final:
			if wants(to.Notify, Failure) {
				r.add(to, a, dsn.Failed)
			}
		default:
			rest = append(rest, to)
			soon = soon && a.again
			if warn && wants(to.Notify, Delay) {
				r.add(to, a, dsn.Delayed)
			}
		}
	}
	e.To = rest
	e.Attempts++
	e.Warned = e.Warned || warn
	e.Next = e.after(m)
	if progress && soon {
		e.Next = m.now
	}
}

// after returns when an entry is tried again: no later than its sender must hear of the delay, or that
// it is too old.
func (e *entry) after(m moment) time.Time {
	next := m.now.Add(pause(e.Attempts, m.random))
	for _, age := range []time.Duration{warnAge, maxAge} {
		if at := e.Queued.Add(age); at.After(m.now) && next.After(at) {
			next = at
		}
	}
	return next
}

// wants reports whether a sender wants to hear of something (RFC 3461 §4.1).
func wants(n, what Notify) bool { return n == 0 || n&what != 0 }

// relayed is what a report says of a recipient who has been served.
func relayed(a answer) dsn.Action {
	if a.host == "" {
		return dsn.Delivered
	}
	return dsn.Relayed
}

// summary says what came of an attempt, for the commit.
func summary(parts []*part) string {
	var sent, failed, later int
	for _, p := range parts {
		for _, a := range p.answers {
			switch {
			case a.sent:
				sent++
			case a.final:
				failed++
			default:
				later++
			}
		}
	}
	return fmt.Sprintf("%d sent, %d failed, %d to be tried again", sent, failed, later)
}

func (w *worker) log(p *part) {
	id, _, _ := parsePath(p.item.path)
	for i, to := range p.entry.To {
		a := p.answers[i]
		what := "deferred"
		switch {
		case a.sent:
			what = "sent"
		case a.final:
			what = "failed"
		}
		w.q.o.Log.Info("queue: "+what, "id", id, "to", to.Address, "answer", client.Printable(a.Text, maxAnswer))
	}
}
