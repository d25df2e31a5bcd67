package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cairn/services/mail/auth"
	"cairn/services/mail/message"
	"cairn/services/mail/queue"
	"cairn/services/mail/queue/dsn"
	"cairn/services/mail/srs"
)

// Send sends a message that this software wrote: an invitation, a report, an answer. It goes to
// people of the house at once and to others through the queue; when Send returns nil it is
// durable for all. It is signed for the domain of its From.
func (s *Service) Send(ctx context.Context, from string, to []string, raw []byte) error {
	in := &Incoming{own: true, ID: NewID(), From: from, Raw: raw, Protocol: "local", UTF8: message.Inspect(headOf(raw)).UTF8Header}
	for _, address := range to {
		in.To = append(in.To, Recipient{Address: address})
	}
	return s.Accept(ctx, in)
}

func asElsewhere(err error, e **NotLocalError) bool { return errors.As(err, e) }

// maxWords is how much of what users say fits into a reply of SMTP, in bytes (RFC 5321 §4.5.3.1.5).
const maxWords = 400

// settle plans what leaves the house, once it is known who gets the message.
func (t *task) settle(ctx context.Context) error {
	if len(t.rejects) > 0 && t.kept == 0 {
		words := strings.Join(slices.Compact(t.rejects), "; ")
		return refuse(550, 7, 1, strings.ToValidUTF8(words[:min(len(words), maxWords)], ""))
	}
	if err := t.report(ctx); err != nil {
		t.Log.Warn("mail: report", "id", t.in.ID, "err", err)
	}
	for _, via := range slices.Sorted(maps.Keys(t.leaving)) {
		if via == "" {
			t.plan.Send(t.outgoing(unquoted(t.in.From), t.leaving[via], slices.Concat(t.received, t.raw)))
		} else if err := t.forward(ctx, via, t.leaving[via]); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) outgoing(from string, to []queue.Recipient, raw []byte) queue.Message {
	in := t.in
	return queue.Message{From: from, To: to, Raw: raw, EnvID: in.EnvID, Full: in.Return == "FULL", UTF8: in.UTF8, RequireTLS: in.RequireTLS}
}

// forward plans that an address of ours passes the message on: with a sender of ours, so that SPF passes
// there and a report comes back (package srs), with our word on what it was when it came (ARC), and
// with a field by which it is known again should it return.
func (t *task) forward(ctx context.Context, via string, to []queue.Recipient) error {
	from := unquoted(t.in.From)
	domain := t.domainFor(ctx, via)
	if t.SRSKey != nil && from != "" && domain != "" && !t.isOurs(ctx, from) {
		rewriter := srs.Rewriter{Domain: domain, Key: t.SRSKey, Now: t.Now}
		var err error
		if from, err = rewriter.Forward(from); err != nil {
			from = "" // it is no address to which anything could be reported
		}
	}
	raw := slices.Concat(message.AppendFolded(nil, "Delivered-To", via), t.received, t.raw)
	set, err := t.seal(ctx, domain, raw)
	if err != nil {
		return err
	}
	t.plan.Send(t.outgoing(from, to, append(set, raw...)))
	return nil
}

// seal returns the ARC set of a domain for a message that is passed on; none when nothing signs for it.
func (t *task) seal(ctx context.Context, domain string, raw []byte) ([]byte, error) {
	if t.result == nil || t.Signer == nil || domain == "" {
		return nil, nil
	}
	signer, err := t.Signer(ctx, domain)
	if err != nil || signer == nil {
		return nil, err
	}
	set, err := signer.Seal(raw, t.result)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", domain, err)
	}
	return set, nil
}

// domainFor is the domain in whose name an address passes mail on: its own, else the house's first; "" when
// there is none.
func (t *task) domainFor(ctx context.Context, via string) string {
	if _, domain, err := SplitAddress(via); err == nil && domain != "" && domain != localhost {
		return domain
	}
	if all, err := t.Config.Domains(ctx); err == nil && len(all) > 0 {
		return all[0].Name
	}
	return ""
}

func (t *task) isOurs(ctx context.Context, address string) bool {
	_, domain, err := SplitAddress(address)
	if err != nil {
		return false
	}
	ours, err := t.Local(ctx, domain)
	return err == nil && ours
}

// also plans another message within the same update: one of ours, to one address.
func (t *task) also(ctx context.Context, to string, raw []byte) error {
	in := &Incoming{own: true, ID: NewID(), Raw: raw, Protocol: "local", To: []Recipient{{Address: to, Notify: []string{"NEVER"}}}}
	other, err := t.begin(ctx, in, t.plan)
	if err != nil {
		return err
	}
	if err := other.reach(ctx, in.To[0], 0); err != nil {
		return err
	}
	t.delivered = append(t.delivered, other.delivered...)
	return other.settle(ctx)
}

// report tells the sender who did not want the message (RFC 5429 §2.1) and, where he asked for it, who has
// got it (RFC 3461 §5.2.3): unless there is no sender, or nobody knows whether it is him.
func (t *task) report(ctx context.Context) error {
	if len(t.about) == 0 || t.in.From == "" || t.in.User == nil && (t.result == nil || !t.genuine()) {
		return nil
	}
	random := make([]byte, 16)
	rand.Read(random)
	r := dsn.Report{
		Host: t.Host(ctx), Sender: t.in.From, EnvID: t.in.EnvID, Arrived: t.Now(), About: t.about,
		Message: t.raw, Full: t.in.Return == "FULL",
	}
	return t.also(ctx, t.in.From, r.Encode(t.Now(), random))
}

// genuine reports whether the envelope's sender is who he says.
func (t *task) genuine() bool {
	return t.result.SPF.Verdict == auth.Pass || t.result.DMARC.Verdict == auth.Pass
}

// A Sink takes messages for addresses that are nobody's mailbox: those of mailing lists and
// of reports.
type Sink interface {
	// Takes reports whether an address, in the form of SplitAddress, is the sink's.
	Takes(ctx context.Context, local, domain string) (bool, error)
	// Take adds to the plan what a message to one of its addresses, d.Address, means; d has no
	// User. Its error refuses the message for everybody: a *Refusal, or what is tried again.
	Take(ctx context.Context, p *Plan, d *Delivery) error
}

// A sunk is a sink that an address has led to.
type sunk struct {
	sink    Sink
	address string
}
