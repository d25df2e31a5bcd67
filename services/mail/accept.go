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
	maxHops      = 100       // Received fields (RFC 5321 §6.3)
	maxPasses    = 10        // redirections within the house
	maxReceivers = 10_000    // of one message, aliases and all
	maxSealed    = 256 << 20 // bytes of the sealed copies of one message: each is another one
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
		s.tell(ctx, d)
	}
	return nil
}

// tell says that a message has been delivered. A mistake of who hears of it must not have the sender send it
// again.
func (s *Service) tell(ctx context.Context, d *Delivery) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("mail: panic after a delivery", "user", d.User, "id", d.In.ID, "panic", fmt.Sprint(p))
		}
	}()
	s.Delivered(ctx, d)
}

func headOf(raw []byte) []byte {
	head, _ := message.Split(raw)
	return head
}

// inspect refuses what no header may be, and what has been on its way for too long.
func (s *Service) inspect(in *Incoming, h message.Header) error {
	head := headOf(in.Raw)
	switch {
	case len(head) > 0 && (head[0] == ' ' || head[0] == '\t'): // it would go on with the last field that we put before it
		return refuse(554, 6, 0, "the message begins with white space, where its first header field should be")
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
	had      []string // addresses that the message has come to already
	plan     *Plan

	seen      map[string]bool              // users, and addresses elsewhere, that have it
	leaving   map[string][]queue.Recipient // those elsewhere, by the address of ours that passes it on; "" for none
	rejects   []string                     // what users let the sender know who do not want it
	about     []dsn.Recipient              // what the sender is told
	kept      int                          // by how many it is not rejected
	replied   map[string]bool              // users who have answered
	sealed    map[string]*store.Blob       // what is kept for users who want nobody else to read it
	secret    int64                        // bytes of these
	delivered []*Delivery
}

// begin finds out who has sent the message, and refuses what must not pass.
func (s *Service) begin(ctx context.Context, in *Incoming, p *Plan) (*task, error) {
	t := &task{
		Service: s, in: in, header: message.ParseHeader(headOf(in.Raw)), raw: in.Raw, plan: p,
		seen: map[string]bool{}, leaving: map[string][]queue.Recipient{},
		replied: map[string]bool{}, sealed: map[string]*store.Blob{},
	}
	t.received = s.received(ctx, in)
	t.had = t.header.All("Delivered-To")
	switch {
	case in.User != nil:
		return t, t.submit(ctx)
	case in.own:
		return t, t.sign(ctx)
	case s.Checker != nil:
		if err := t.check(ctx); err != nil {
			return nil, err
		}
		for _, span := range auth.Foreign(t.header, t.result.ID) {
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
		return t.out("", to)
	}
	switch {
	case err != nil:
		return err
	case len(route.Forward) > 0 && t.loops(to.Address):
		return circle(to.Address)
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
		if err := t.out(to.Address, Recipient{Address: address, Notify: to.Notify, ORcpt: to.ORcpt}); err != nil {
			return err
		}
	}
	return nil
}

// out adds somebody elsewhere: to those whom the sender has named, or, with via, to those to whom
// that address of ours passes the message on.
func (t *task) out(via string, to Recipient) error {
	if t.in.Binary {
		return refuse(554, 6, 3, "a message with BODY=BINARYMIME cannot be passed on: encode it as base64")
	}
	if fresh, err := t.mark(to.Address); !fresh {
		return err
	}
	t.kept++
	notify, err := queue.ParseNotify(to.Notify)
	if err != nil {
		return refuse(501, 5, 4, "NOTIFY has a word that it does not know")
	}
	t.leaving[via] = append(t.leaving[via], queue.Recipient{Address: unquoted(to.Address), Notify: notify, Original: to.ORcpt})
	return nil
}

// mark notes that somebody gets the message, and reports whether that is new.
func (t *task) mark(who string) (fresh bool, err error) {
	switch {
	case t.seen[who]:
		return false, nil
	case len(t.seen) >= maxReceivers:
		return false, refuse(452, 5, 3, "these recipients lead to too many others: send to some of them at a time")
	}
	t.seen[who] = true
	return true, nil
}

// loops reports whether the message has come to this address before (RFC 5321 §6.3).
func (t *task) loops(address string) bool {
	if !t.in.fromOutside() {
		return false // somebody sends again what they have got
	}
	return slices.ContainsFunc(t.had, func(had string) bool { return strings.EqualFold(had, address) })
}

func circle(address string) error {
	return refuse(554, 4, 6, "the message goes round in circles: "+address+" has had it already")
}
