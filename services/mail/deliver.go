package mail

import (
	"context"
	"fmt"
	"slices"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/queue/dsn"
	"cairn/store"
)

// hand plans what one user gets.
func (t *task) hand(ctx context.Context, target Target, to Recipient, passes int) error {
	if fresh, err := t.mark(target.User + detailMark + target.Detail); !fresh {
		return err
	}
	if t.loops(target.Address) {
		return circle(target.Address)
	}
	d := &Delivery{Target: target, In: t.in, Raw: t.raw, Result: t.result}
	d.Trace = t.trace(t.in, t.received, target.Address, t.checked)
	score, because := t.judge(ctx, d)
	d.Junk = because != ""
	if d.Junk {
		d.Trace = message.AppendFolded(d.Trace, "X-Spam-Status", fmt.Sprintf("Yes, score=%.2f; %s", score, because))
	}
	wishes := &Wishes{File: []Filing{d.Keep()}}
	if t.Filter != nil {
		w, err := t.Filter(ctx, d)
		if err != nil {
			t.Log.Warn("mail: filter", "user", target.User, "id", t.in.ID, "err", err)
		} else if w != nil {
			wishes = w
		}
	}
	if t.Delivered != nil && len(wishes.File) > 0 {
		t.delivered = append(t.delivered, d)
	}
	t.note(to, wishes)
	return t.grant(ctx, d, to, wishes, passes)
}

// note keeps what the sender is to hear of what a user wishes.
func (t *task) note(to Recipient, w *Wishes) {
	about := dsn.Recipient{Original: to.ORcpt, Final: to.Address}
	switch {
	case w.Reject != "":
		t.rejects = append(t.rejects, w.Reject)
		about.Action, about.Status, about.Words = dsn.Failed, "5.7.1", w.Reject
	case len(w.File) > 0 && slices.Contains(to.Notify, "SUCCESS"):
		about.Action, about.Status, about.Words = dsn.Delivered, "2.1.5", "it is in the mailbox"
	default:
		return
	}
	t.about = append(t.about, about)
}

// grant plans what a user wishes.
func (t *task) grant(ctx context.Context, d *Delivery, to Recipient, w *Wishes, passes int) error {
	if w.Reject != "" {
		return nil
	}
	t.kept++
	moved := false
	for _, address := range w.Redirect {
		to := Recipient{Address: address, Notify: to.Notify, ORcpt: to.ORcpt}
		if err := t.redirect(ctx, d.Address, to, passes); err != nil {
			t.Log.Warn("mail: redirect", "user", d.User, "id", t.in.ID, "err", err)
			continue
		}
		moved = true
	}
	filings := w.File
	if len(w.Redirect) > 0 && !moved && len(filings) == 0 {
		filings = []Filing{d.Keep()} // redirected to where it is already: it must not vanish
	}
	if err := t.fileAll(ctx, d, filings); err != nil {
		return err
	}
	if w.Remember != nil {
		t.plan.Edit(d.User, w.Remember)
	}
	for _, r := range w.Replies {
		if t.in.From == "" || t.replied[d.User] {
			break // nobody is there who would get it, or who wants it for each of the user's addresses
		}
		if err := t.also(ctx, r.To, r.Raw); err != nil {
			t.Log.Warn("mail: reply", "user", d.User, "id", t.in.ID, "err", err)
		}
	}
	t.replied[d.User] = t.replied[d.User] || len(w.Replies) > 0
	return nil
}

// fileAll plans the mailboxes that get the message.
func (t *task) fileAll(ctx context.Context, d *Delivery, filings []Filing) error {
	if len(filings) == 0 {
		return nil
	}
	n := mailbox.New{Trace: d.Trace, Hide: t.hide, Internal: t.Now()}
	sealed, err := t.sealFor(ctx, d)
	if err != nil {
		return err
	}
	if sealed != nil {
		n.Raw, n.Hide = sealed, nil
		n.Trace = message.AppendFolded(nil, "Delivered-To", d.Address)
	} else {
		n.Raw = t.plan.blob(t.raw)
	}
	for _, f := range filings {
		t.plan.Edit(d.User, func(e *mailbox.Edit) error { return file(e, f, n) })
	}
	return nil
}

// sealFor returns what is kept of the message for a user who wants nobody else to read it, nil for others. Whoever gets
// it under several addresses has it made once.
func (t *task) sealFor(ctx context.Context, d *Delivery) (*store.Blob, error) {
	if b, ok := t.sealed[d.User]; ok || t.Seal == nil {
		return b, nil
	}
	raw, err := t.Seal(ctx, d.User, t.whole(d))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", d.User, err)
	}
	if raw == nil {
		t.sealed[d.User] = nil
		return nil, nil
	}
	if len(raw) > store.MaxObject {
		return nil, errSealable
	}
	if t.secret += int64(len(raw)); t.secret > maxSealed {
		return nil, refuse(452, 5, 3, "these recipients take too much memory: send to some of them at a time")
	}
	t.sealed[d.User] = store.NewBlob(raw)
	return t.sealed[d.User], nil
}

// whole is the message as it is served: with what stands in front of it, and without what is hidden.
func (t *task) whole(d *Delivery) []byte {
	all, from := slices.Clone(d.Trace), 0
	for _, span := range t.hide {
		all, from = append(all, t.raw[from:span.Offset]...), span.Offset+span.Length
	}
	return append(all, t.raw[from:]...)
}

// redirect plans that the message goes from a user's address to another one as well.
func (t *task) redirect(ctx context.Context, via string, to Recipient, passes int) error {
	if passes >= maxPasses {
		return fmt.Errorf("redirect to %s: more than %d lead to one another", to.Address, maxPasses)
	}
	route, err := t.Route(ctx, to.Address)
	var elsewhere *NotLocalError
	switch {
	case asElsewhere(err, &elsewhere) && t.seen[to.Address]:
		return fmt.Errorf("redirect to %s: it has the message already", to.Address)
	case asElsewhere(err, &elsewhere):
		return t.out(via, to)
	case err != nil:
		return err
	}
	isNew := func(u Target) bool { return !t.seen[u.User+detailMark+u.Detail] }
	if len(route.Forward)+len(route.sinks) == 0 && !slices.ContainsFunc(route.Users, isNew) {
		return fmt.Errorf("redirect to %s: it has the message already", to.Address)
	}
	return t.reach(ctx, to, passes+1)
}
