// Package mail decides who gets a message, and sees to it that they have it: it is
// what the protocols that bring mail hand it to.
//
// Route says where mail for an address goes; Accept takes a whole message for some
// recipients. When Accept returns nil the message is durable for every one of them, in
// mailboxes and queue, by one update of the store; when it does not, for none:
//
//	route, err := service.Route(ctx, "alice+club@example.org")   // *UnknownError, *NotLocalError
//	err = service.Accept(ctx, &mail.Incoming{From: …, To: …, Raw: …})
//
// What goes wrong is a *Refusal, in the words of SMTP.
package mail

import (
	"log/slog"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/store"
)

// A Service delivers mail. Fields are set before its first use. Safe for concurrent use.
type Service struct {
	Repo     *store.Repo
	Accounts *accounts.Accounts
	Config   *config.Config
	Now      func() time.Time
	Log      *slog.Logger
}
