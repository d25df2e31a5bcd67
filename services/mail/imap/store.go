package imap

import (
	"fmt"
	"math"
	"strings"

	"cairn/services/mail/mailbox"
)

// A flagChange is what a STORE command asks for (RFC 9051 §6.4.6).
type flagChange struct {
	op             byte // '+', '-', or 0 to replace
	silent         bool
	flags          mailbox.Flags
	unchangedSince uint64 // RFC 7162 §3.1.3; MaxUint64 if it is not there
}

func parseStore(s *scanner) (*flagChange, error) {
	ch := &flagChange{unchangedSince: math.MaxUint64}
	if s.peek() == '(' {
		if err := s.list(func() error { return ch.modifier(s) }); err != nil {
			return nil, err
		}
		if err := s.space(); err != nil {
			return nil, err
		}
	}
	item, err := s.keyword()
	if err != nil {
		return nil, err
	}
	if item[0] == '+' || item[0] == '-' {
		ch.op, item = item[0], item[1:]
	}
	item, ch.silent = strings.CutSuffix(item, ".SILENT")
	if item != "FLAGS" {
		return nil, expected("FLAGS")
	}
	if err := s.space(); err != nil {
		return nil, err
	}
	if ch.flags, err = s.flags(); err != nil {
		return nil, err
	}
	return ch, s.end()
}

func (ch *flagChange) modifier(s *scanner) error {
	if word, err := s.keyword(); err != nil || word != "UNCHANGEDSINCE" {
		return expected("UNCHANGEDSINCE")
	}
	n, err := spaced(s, func() (uint64, error) { return s.number(math.MaxInt64) })
	ch.unchangedSince = n
	return err
}

// flags reads flags, in parentheses or not.
func (s *scanner) flags() (mailbox.Flags, error) {
	var list []mailbox.Flag
	one := func() error {
		system := ""
		if s.is('\\') {
			system = `\`
		}
		word, err := s.atom()
		if err != nil {
			return err
		}
		f := mailbox.Flag(system + word)
		if !mailbox.ValidFlag(f) && !strings.EqualFold(string(f), `\Recent`) {
			return bad("There is no flag " + string(f))
		}
		list = append(list, f)
		return nil
	}
	var err error
	if s.peek() == '(' {
		err = s.list(one)
	} else {
		err = one()
		for err == nil && s.is(' ') && len(s.b) > 0 {
			err = one()
		}
	}
	return mailbox.NewFlags(list...), err
}

// apply is what a message's flags become.
func (ch *flagChange) apply(m mailbox.Message) mailbox.Flags {
	switch {
	case m.ModSeq > ch.unchangedSince:
		return m.Flags
	case ch.op == '+':
		return m.Flags.With(ch.flags)
	case ch.op == '-':
		return m.Flags.Without(ch.flags)
	}
	return ch.flags
}

// store is STORE and UID STORE.
func (s *session) store(c *command) error {
	a := c.arguments()
	set, err := spaced(a, a.set)
	if err == nil {
		err = a.space()
	}
	if err != nil {
		return err
	}
	ch, err := parseStore(a)
	if err != nil {
		return err
	}
	if s.view.readOnly {
		return errReadOnly
	}
	uid := strings.HasPrefix(c.name, "UID ")
	if err := s.refresh(); err != nil {
		return err
	}
	ranges, err := s.view.find(set, uid)
	if err != nil {
		return err
	}
	return s.storeAll(ch, ranges, uid)
}

var errReadOnly = no("READ-ONLY", "The mailbox is open for reading only: select it in place of EXAMINE")

// storeAll changes flags and tells what they are then.
func (s *session) storeAll(ch *flagChange, ranges []indexRange, uid bool) error {
	conditional := ch.unchangedSince != math.MaxUint64
	s.condStore = s.condStore || conditional
	modified := map[mailbox.UID]bool{} // by somebody else, so that nothing is changed
	changed, err := s.setFlags(s.view.uidsOf(ranges), func(m mailbox.Message) mailbox.Flags {
		if conditional {
			modified[m.UID] = m.ModSeq > ch.unchangedSince
		}
		return ch.apply(m)
	})
	if err == nil {
		err = s.refresh()
	}
	if err != nil {
		return err
	}
	ours := make(map[mailbox.UID]uint64, len(changed))
	for _, m := range changed {
		ours[m.UID] = m.ModSeq
	}
	var failed numbers
	var b []byte
	err = s.view.each(ranges, func(i int, m mailbox.Message) error {
		if modified[m.UID] {
			failed.add(hit{i, m}.number(uid))
			return nil
		}
		if b = s.stored(b, ch, i, m, ours[m.UID]); len(b) < outBuffer {
			return nil
		}
		err := s.front.wire.send(b)
		b = b[:0]
		return err
	})
	if err != nil {
		return err
	}
	if len(failed.ranges) > 0 {
		s.front.withCode("MODIFIED " + failed.String())
	}
	return s.front.wire.send(b)
}

// stored appends what the client is told of a message whose flags it has set. ours is the modification sequence that
// this gave it, or 0.
func (s *session) stored(b []byte, ch *flagChange, i int, m mailbox.Message, ours uint64) []byte {
	if !ch.silent {
		s.view.know(m)
		return s.flagsLine(b, i, m)
	}
	if m.ModSeq != ours { // nothing was to be done, or somebody else has changed it since
		return b
	}
	s.view.know(m)
	if s.condStore {
		b = fmt.Appendf(b, "* %d FETCH (UID %d MODSEQ (%d))\r\n", i+1, m.UID, m.ModSeq)
	}
	return b
}

// setFlags changes flags in the selected mailbox and returns the messages that it changed.
func (s *session) setFlags(uids []mailbox.UID, f func(mailbox.Message) mailbox.Flags) (changed []mailbox.Message, err error) {
	if len(uids) == 0 {
		return nil, nil
	}
	name := s.view.name
	err = s.update(fmt.Sprintf("%s: flags of %d messages", name, len(uids)), func(e *mailbox.Edit) error {
		var err error
		changed, err = e.SetFlags(name, uids, f)
		return err
	})
	return changed, err
}
