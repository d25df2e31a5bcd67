package imap

import (
	"cairn/services/mail/mailbox"
)

// maxTrained bounds how many messages one command teaches the junk filter: who empties a mailbox into
// another judges none of them.
const maxTrained = 1000

// trainer returns what an update has to do beside carrying messages from one mailbox to another, so
// that the junk filter learns from it.
func (s *session) trainer(from string, uids []mailbox.UID) func(e *mailbox.Edit, to mailbox.Info) error {
	return func(e *mailbox.Edit, to mailbox.Info) error {
		source, err := e.Info(from)
		if err != nil || s.server.Trained == nil || len(uids) == 0 || len(uids) > maxTrained {
			return err
		}
		spam := to.Use == mailbox.Junk && source.Use != mailbox.Junk
		ham := source.Use == mailbox.Junk && to.Use != mailbox.Junk && to.Use != mailbox.Trash
		if !spam && !ham {
			return nil
		}
		var messages []mailbox.Message
		for _, uid := range uids {
			if m, err := e.Message(from, uid); err == nil {
				messages = append(messages, m)
			}
		}
		return s.server.Trained(s.ctx, e, from, messages, spam)
	}
}
