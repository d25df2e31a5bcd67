package imap

import (
	"fmt"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
)

// Select implements imapserver.Session.
func (s *session) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	s.view = nil
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return nil, s.reply(err)
	}
	m, err := snap.Mailbox(name)
	if err != nil {
		return nil, s.reply(err)
	}
	s.view = &view{name: name, readOnly: options.ReadOnly, base: m, now: m}
	data := &imap.SelectData{
		Flags:       flagsOf(m),
		NumMessages: uint32(m.Len()),
		UIDNext:     imap.UID(m.UIDNext),
		UIDValidity: m.UIDValidity,
	}
	if !options.ReadOnly {
		data.PermanentFlags = append(data.Flags[:len(data.Flags):len(data.Flags)], imap.FlagWildcard)
	}
	if i := m.FirstUnseen(); i >= 0 {
		data.FirstUnseenSeqNum = uint32(i + 1)
	}
	if s.conn.EnabledCaps().Has(imap.CapIMAP4rev2) { // to others it would look like an answer to LIST
		data.List = s.listData(m.Info, &imap.ListOptions{})
	}
	b := fmt.Appendf(nil, "* OK [MAILBOXID (%s)] The mailbox's own name\r\n", m.ID())
	b = fmt.Appendf(b, "* OK [HIGHESTMODSEQ %d] Nothing has changed after\r\n", max(1, m.HighestModSeq))
	if s.resync != nil {
		b = s.catchUp(b, s.resync)
	}
	s.front.before(b)
	return data, nil
}

// flagsOf lists the flags that a mailbox knows.
func flagsOf(m *mailbox.Mailbox) []imap.Flag {
	flags := []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}
	for _, k := range m.Keywords() {
		flags = append(flags, imap.Flag(k))
	}
	return flags
}

// Unselect implements imapserver.Session.
func (s *session) Unselect() error {
	s.view = nil
	return nil
}
