package mail

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cairn/services/mail/auth"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/queue"
	"cairn/services/mail/queue/dsn"
	"cairn/store"
)

const (
	maxHops   = 100 // Received fields (RFC 5321 §6.3)
	maxPasses = 10  // redirections within the house
)

// Accept takes a message for all its recipients. When it returns nil the message is
// durable for every one of them; when it returns an error, a *Refusal, for none.
func (s *Service) Accept(ctx context.Context, in *Incoming) error {
	h := message.ParseHeader(headOf(in.Raw))
	if err := s.inspect(in, h); err != nil {
		return err
	}
	ch := store.Change{Message: "Deliver a message\n"}
	if in.User != nil {
		ch.Author = in.User.Signature()
	}
	t, err := s.begin(ctx, in, NewPlan(ch))
	if err != nil {
		return AsRefusal(err)
	}
	for _, to := range in.To {
		if err := t.reach(ctx, to, 0); err != nil {
			return AsRefusal(fmt.Errorf("to %s: %w", to.Address, err))
		}
	}
	if err := t.settle(ctx); err != nil {
		return AsRefusal(err)
	}
	if err := s.Carry(ctx, t.plan); err != nil {
		return err
	}
	for _, d := range t.delivered {
		s.Delivered(ctx, d)
	}
	return nil
}

func headOf(raw []byte) []byte {
	head, _ := message.Split(raw)
	return head
}

// inspect refuses what no header may be, and what has been on its way for too long.
func (s *Service) inspect(in *Incoming, h message.Header) error {
	head := headOf(in.Raw)
	switch {
	case len(head) > message.MaxHeader:
		return refuse(552, 3, 4, "the header of the message is too large")
	case h.Len() >= message.MaxFields:
		return refuse(554, 6, 0, "the header of the message has too many fields")
	case len(h.All("Received")) > maxHops:
		return refuse(554, 4, 6, "the message goes round in circles: it has passed too many servers")
	}
	if in.Binary {
		if f := message.Inspect(head); f.NUL || f.BareCR || f.BareLF {
			return refuse(554, 6, 0, "the header of the message is no text: its lines end with CR LF")
		}
	}
	return nil
}

// A task is the work on one message.
type task struct {
	*Service
	in       *Incoming
	header   message.Header
	raw      []byte // the message as it is kept and sent on
	received []byte
	result   *auth.Result
	checked  []byte // the Authentication-Results field
	hide     []mailbox.Span
	plan     *Plan

	seen      map[string]bool // users, and addresses elsewhere, that have it
	remote    []queue.Recipient
	forwards  []queue.Recipient
	rejects   []string // what users let the sender know who do not want it
	about     []dsn.Recipient
	kept      int // by how many it is not rejected
	delivered []*Delivery
}

// begin finds out who has sent the message, and refuses what must not pass.
func (s *Service) begin(ctx context.Context, in *Incoming, p *Plan) (*task, error) {
	t := &task{Service: s, in: in, header: message.ParseHeader(headOf(in.Raw)), raw: in.Raw, plan: p, seen: map[string]bool{}}
	t.received = s.received(ctx, in)
	switch {
	case in.User != nil:
		return t, t.submit(ctx)
	case in.own:
		return t, t.sign(ctx)
	case s.Checker != nil:
		if err := t.check(ctx); err != nil {
			return nil, err
		}
		for _, span := range auth.Foreign(t.header, s.Checker.ID) {
			t.hide = append(t.hide, mailbox.Span{Offset: span.Start, Length: span.End - span.Start})
		}
	}
	return t, nil
}

// reach plans what an address gets.
func (t *task) reach(ctx context.Context, to Recipient, passes int) error {
	route, err := t.Route(ctx, to.Address)
	var elsewhere *NotLocalError
	if asElsewhere(err, &elsewhere) && !t.in.fromOutside() {
		return t.out(&t.remote, to)
	}
	if err != nil {
		return err
	}
	for _, sunk := range route.sinks {
		d := &Delivery{Target: Target{Address: sunk.address}, In: t.in, Raw: t.raw, Result: t.result}
		if err := sunk.sink.Take(ctx, t.plan, d); err != nil {
			return err
		}
		t.kept++
	}
	for _, target := range route.Users {
		if err := t.hand(ctx, target, to, passes); err != nil {
			return err
		}
	}
	for _, address := range route.Forward {
		if err := t.out(&t.forwards, Recipient{Address: address, Notify: to.Notify, ORcpt: to.ORcpt}); err != nil {
			return err
		}
	}
	return nil
}

// out adds somebody elsewhere.
func (t *task) out(list *[]queue.Recipient, to Recipient) error {
	if t.in.Binary {
		return refuse(554, 6, 3, "a message with BODY=BINARYMIME cannot be passed on: encode it as base64")
	}
	if t.seen[to.Address] {
		return nil
	}
	t.seen[to.Address] = true
	t.kept++
	notify, err := queue.ParseNotify(to.Notify)
	if err != nil {
		return refuse(501, 5, 4, "NOTIFY has a word that it does not know")
	}
	*list = append(*list, queue.Recipient{Address: to.Address, Notify: notify, Original: to.ORcpt})
	return nil
}

// hand plans what one user gets.
func (t *task) hand(ctx context.Context, target Target, to Recipient, passes int) error {
	key := target.User + detailMark + target.Detail
	if t.seen[key] {
		return nil
	}
	t.seen[key] = true
	if t.loops(target.Address) {
		return refuse(554, 4, 6, "the message goes round in circles: "+target.Address+" has had it already")
	}
	d := &Delivery{Target: target, In: t.in, Raw: t.raw, Result: t.result}
	d.Trace = t.trace(t.in, t.received, target.Address, t.checked)
	score, because := t.judge(ctx, d)
	d.Junk = because != ""
	if d.Junk {
		d.Trace = message.AppendFolded(d.Trace, "X-Spam-Status", fmt.Sprintf("Yes, score=%.2f; %s", score, because))
	}
	wishes := keep(d.Junk)
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
	return t.grant(ctx, d, wishes, passes)
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

// loops reports whether the message has been delivered to this address before (RFC 5321 §6.3).
func (t *task) loops(address string) bool {
	if !t.in.fromOutside() {
		return false // somebody sends again what they have got
	}
	return slices.ContainsFunc(t.header.All("Delivered-To"), func(had string) bool { return strings.EqualFold(had, address) })
}

// grant plans what a user wishes.
func (t *task) grant(ctx context.Context, d *Delivery, w *Wishes, passes int) error {
	if w.Reject != "" {
		return nil
	}
	t.kept++
	moved := false
	for _, address := range w.Redirect {
		if t.seen[address] {
			continue
		}
		if err := t.redirect(ctx, address, passes); err != nil {
			t.Log.Warn("mail: redirect", "user", d.User, "id", t.in.ID, "err", err)
			continue
		}
		moved = true
	}
	if len(w.Redirect) > 0 && !moved && len(w.File) == 0 {
		w.File = keep(false).File // redirected to where it has been already: it must not vanish
	}
	if err := t.fileAll(ctx, d, w.File); err != nil {
		return err
	}
	if w.Remember != nil {
		t.plan.Edit(d.User, w.Remember)
	}
	for _, r := range w.Replies {
		if t.in.From == "" {
			break // nobody is there who would get it, and two that answer each other would never end
		}
		if err := t.also(ctx, r.To, r.Raw); err != nil {
			t.Log.Warn("mail: reply", "user", d.User, "id", t.in.ID, "err", err)
		}
	}
	return nil
}

// fileAll plans the mailboxes that get the message.
func (t *task) fileAll(ctx context.Context, d *Delivery, filings []Filing) error {
	if len(filings) == 0 {
		return nil
	}
	n := mailbox.New{Trace: d.Trace, Hide: t.hide, Internal: t.Now()}
	raw := t.raw
	if t.Seal != nil {
		whole := append(slices.Clone(d.Trace), raw...)
		sealed, err := t.Seal(ctx, d.User, whole)
		if err != nil {
			return fmt.Errorf("seal for %s: %w", d.User, err)
		}
		if sealed != nil {
			raw, n.Hide = sealed, nil
			n.Trace = message.AppendFolded(nil, "Delivered-To", d.Address)
		}
	}
	n.Raw = t.plan.blob(raw)
	for _, f := range filings {
		t.plan.Edit(d.User, func(e *mailbox.Edit) error { return file(e, f, n) })
	}
	return nil
}

// redirect plans that the message goes to another address as well.
func (t *task) redirect(ctx context.Context, address string, passes int) error {
	if passes >= maxPasses {
		return fmt.Errorf("redirect to %s: more than %d lead to one another", address, maxPasses)
	}
	route, err := t.Route(ctx, address)
	var elsewhere *NotLocalError
	if asElsewhere(err, &elsewhere) {
		return t.out(&t.forwards, Recipient{Address: address, Notify: []string{"NEVER"}})
	}
	if err != nil {
		return err
	}
	fresh := len(route.Forward) > 0 || slices.ContainsFunc(route.Users, func(u Target) bool { return !t.seen[u.User+detailMark+u.Detail] })
	if !fresh {
		return fmt.Errorf("redirect to %s: it has the message already", address)
	}
	return t.reach(ctx, Recipient{Address: address, Notify: []string{"NEVER"}}, passes+1)
}
