package main

import (
	"context"
	"strings"

	"cairn/cmd/setup/mail"
	gitservice "cairn/services/git"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/scripts"
	"cairn/store/observe"
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

// mailBranches is how the refs of mail begin.
const mailBranches = "refs/heads/mail/"

// checkMail is what a push to somebody's mail must satisfy.
func (p *process) checkMail(ctx context.Context, c gitservice.Change) error {
	err := mailbox.Check(ctx, c.Old, c.New)
	if err == nil {
		err = scripts.Check(ctx, c.Old, c.New)
	}
	if err == nil {
		p.pushing.Store("refs/heads/"+c.Branch, true)
	}
	return err
}

// mailCommitted has mail brought in order to which somebody has pushed. What moves a branch next after a push was
// found to be good is that push, or the push fails.
func (p *process) mailCommitted(c observe.Commit) {
	if c.Err != nil {
		return
	}
	for _, change := range c.Changes {
		if _, pushed := p.pushing.LoadAndDelete(change.Name); pushed {
			p.mail.Boxes.Pushed(strings.TrimPrefix(change.Name, mailBranches))
		}
	}
}

// checkQueue is what a push to the queue must satisfy.
func (p *process) checkQueue(ctx context.Context, c gitservice.Change) error {
	return p.mail.Queue.Check(ctx, c.Old, c.New)
}
