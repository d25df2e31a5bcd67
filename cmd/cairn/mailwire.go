package main

import (
	"context"

	"cairn/cmd/setup/mail"
	gitservice "cairn/services/git"
	"cairn/services/mail/mailbox"
)

// openMail wires mail and opens its ports.
func (p *process) openMail(ctx context.Context) (err error) {
	p.mail, err = mail.Open(ctx, mail.Parts{
		Env:      p.env,
		Repo:     p.house.repo,
		Accounts: p.house.accounts,
		Config:   p.house.config,
		Secrets:  p.house.secrets,
		TLS:      p.tls,
		Sole:     p.house.remote == nil,
	})
	if err == nil {
		p.sites.Also = p.mail.Also
	}
	return err
}

// checkMail is what a push to somebody's mail must satisfy.
func checkMail(ctx context.Context, c gitservice.Change) error {
	return mailbox.Check(ctx, c.Old, c.New)
}
