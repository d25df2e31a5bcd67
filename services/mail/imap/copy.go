package imap

import (
	"errors"
	"fmt"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// tryCreate says of a mailbox that is absent that making it would help (RFC 9051 §7.1).
func tryCreate(err error) error {
	var e *imap.Error
	if errors.As(err, &e) && e.Code == imap.ResponseCodeNonExistent {
		return no(imap.ResponseCodeTryCreate, e.Text)
	}
	return err
}

// chosen returns the messages that the library has read a set for.
func (s *session) chosen(set imap.NumSet) ([]indexRange, error) {
	if err := s.inState(selectedState); err != nil {
		return nil, err
	}
	if err := s.refresh(); err != nil {
		return nil, s.reply(err)
	}
	n, uid := fromLibrary(set)
	return s.view.find(n, uid)
}

// Copy implements imapserver.Session.
func (s *session) Copy(set imap.NumSet, to string) (*imap.CopyData, error) {
	ranges, err := s.chosen(set)
	if err != nil {
		return nil, err
	}
	return s.carry(ranges, to, "copied to", (*mailbox.Edit).Copy)
}

// Move implements imapserver.SessionMove (RFC 6851).
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, to string) error {
	ranges, err := s.chosen(set)
	if err != nil {
		return err
	}
	if s.view.readOnly {
		return errReadOnly
	}
	data, err := s.carry(ranges, to, "moved to", (*mailbox.Edit).Move)
	if err != nil || data == nil {
		return err
	}
	if err := s.refresh(); err != nil {
		return s.reply(err)
	}
	s.tellHighest(s.view.now.Info)
	return w.WriteCopyData(data) // what is gone is told by the poll that follows
}

// tellHighest tells a client that keeps up by modification sequences how far it has got with a command
// that removed messages (RFC 7162 §3.2.7).
func (s *session) tellHighest(info mailbox.Info) {
	if s.condStore {
		s.front.withCode(fmt.Sprintf("HIGHESTMODSEQ %d", info.HighestModSeq))
	}
}

// carry copies or moves messages of the selected mailbox; nil if there are none.
func (s *session) carry(ranges []indexRange, to, verb string, f func(e *mailbox.Edit, from string, uids []mailbox.UID, to string) ([]mailbox.Moved, error)) (*imap.CopyData, error) {
	uids, from := s.view.uidsOf(ranges), s.view.name
	var moved []mailbox.Moved
	var validity uint32
	train := s.trainer(from, uids)
	err := s.update(fmt.Sprintf("%s: %d messages %s %s", from, len(uids), verb, to), func(e *mailbox.Edit) error {
		info, err := e.Info(to)
		if err != nil {
			return err
		}
		if !info.Selectable {
			return mailbox.ErrNoMailbox
		}
		validity = info.UIDValidity
		if err := train(e, info); err != nil {
			return err
		}
		moved, err = f(e, from, uids, to)
		return err
	})
	if err != nil {
		return nil, tryCreate(err)
	}
	if len(moved) == 0 {
		return nil, nil
	}
	var source, dest numbers
	for _, m := range moved {
		source.add(uint32(m.From))
		dest.add(uint32(m.To))
	}
	return &imap.CopyData{UIDValidity: validity, SourceUIDs: source.toLibrary(), DestUIDs: dest.toLibrary()}, nil
}

// Expunge implements imapserver.Session: EXPUNGE, UID EXPUNGE and CLOSE. What is gone is told
// by the poll that follows; after CLOSE there is none.
func (s *session) Expunge(_ *imapserver.ExpungeWriter, set *imap.UIDSet) error {
	if err := s.inState(selectedState); err != nil {
		return err
	}
	if s.view.readOnly {
		if s.front.cmd.name == "CLOSE" {
			return nil
		}
		return errReadOnly
	}
	if err := s.refresh(); err != nil {
		return s.reply(err)
	}
	ranges := []indexRange{{0, s.view.count()}}
	if set != nil {
		n, _ := fromLibrary(*set)
		var err error
		if ranges, err = s.view.find(n, true); err != nil {
			return err
		}
	}
	var uids []mailbox.UID
	s.view.each(ranges, func(_ int, m mailbox.Message) error {
		if m.Flags.Has(mailbox.Deleted) {
			uids = append(uids, m.UID)
		}
		return nil
	})
	if len(uids) == 0 {
		return nil
	}
	name := s.view.name
	var info mailbox.Info
	err := s.update(fmt.Sprintf("%s: %d messages expunged", name, len(uids)), func(e *mailbox.Edit) error {
		_, err := e.Expunge(name, uids, func(m mailbox.Message) bool { return m.Flags.Has(mailbox.Deleted) })
		if err == nil {
			info, err = e.Info(name)
		}
		return err
	})
	if err == nil {
		s.tellHighest(info)
	}
	return err
}
