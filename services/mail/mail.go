// Package mail decides who gets a message, and sees to it that they have it: it is
// what the protocols that bring mail hand it to.
//
// Route says where mail for an address goes; Accept takes a whole message for some
// recipients. When Accept returns nil the message is durable for every one of them, in
// mailboxes and queue, by one update of the store; when it does not, for none:
//
//	err := service.Admit(ctx, "alice+club@example.org", size, nil)
//	err = service.Accept(ctx, &mail.Incoming{From: …, To: …, Raw: …})
//
// What goes wrong is a *Refusal, in the words of SMTP.
//
// What a message passes on its way is a Plan: who it is for is put there by routing, what each
// of them wants done with it by a Filter, and what belongs to the same update by Sinks. Nothing happens before
// the Plan is carried out.
//
// # Caveats
//
// SMTP has one answer for all recipients of a message. So when one of them has no room any more
// when it comes to the worst, between RCPT and the end of the data, nobody gets it now; the sender
// tries again, and hears of that recipient at RCPT.
package mail

import (
	"context"
	"log/slog"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/mail/auth"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/queue"
	"cairn/store"
)

// MaxMessage is the largest message in bytes, as it comes.
const MaxMessage = 50 << 20

// A Service delivers mail. Fields are set before its first use. Safe for concurrent use.
type Service struct {
	Repo     *store.Repo
	Boxes    *mailbox.Boxes
	Queue    *queue.Queue
	Accounts *accounts.Accounts
	Config   *config.Config

	// Checker finds out who has sent a message. Nil: nobody does. Without an ID it is Host's.
	Checker *auth.Checker
	// Signer returns what signs for a domain of ours; nil, as a func and as a result, when nothing does.
	Signer func(ctx context.Context, domain string) (*auth.Signer, error)
	// Sealers are the domains whose word on a message that they passed on is believed (RFC 8617): what
	// passed DMARC there is not refused here.
	Sealers []string
	// SRSKey signs the senders of what is passed on (package srs). Nil: they stay as they are.
	SRSKey []byte

	// Junk says how much a message looks like junk to a user, from 0 to 1; trace is what we have put in
	// front of it. Nil: nobody asks.
	Junk func(ctx context.Context, user string, trace, raw []byte) (float64, error)
	// Filter says what a user wants done with a message. Nil: it is kept.
	Filter Filter
	// Seal returns a message as it may be kept for a user who wants nobody else to read it, or
	// nil for others. Nil: there are only others.
	Seal func(ctx context.Context, user string, raw []byte) ([]byte, error)
	// Autocrypt is the header field, with its CRLF, that tells a user's key to those who get mail from an address
	// of theirs; "" where there is none. Nil: no key is told.
	Autocrypt func(ctx context.Context, u *accounts.User, from string) (string, error)
	// Sinks take what is for addresses that are nobody's mailbox.
	Sinks []Sink
	// Delivered hears of every message that a user has got, after that. Nil: nobody does.
	Delivered func(ctx context.Context, d *Delivery)

	Now func() time.Time // required, as is all above Checker
	Log *slog.Logger     // required
}

// Host is what this house calls itself: as it is configured, else "mail." and its first
// domain, else localhost.
func (s *Service) Host(ctx context.Context) string {
	if m, err := s.Config.Mail(ctx); err == nil && m.Host != "" {
		return m.Host
	}
	if domains, err := s.Config.Domains(ctx); err == nil && len(domains) > 0 {
		return "mail." + domains[0].Name
	}
	return localhost
}
