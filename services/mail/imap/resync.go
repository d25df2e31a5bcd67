package imap

import (
	"iter"
	"math"
	"strconv"

	"cairn/services/mail/mailbox"
)

// A resync is what a client knows of a mailbox that it selects (RFC 7162 §3.2.5).
type resync struct {
	validity uint32
	modSeq   uint64
	uids     numbers // all if there are none
	// matched are sequence numbers and, in matchedUIDs, the UIDs that they had.
	matched, matchedUIDs numbers
}

// editSelect takes the parameters from SELECT and EXAMINE, which the library does not know.
func (s *session) editSelect(c *command) error {
	s.resync = nil
	a := c.arguments()
	if _, err := spaced(a, a.astring); err != nil {
		return err
	}
	end := len(c.text) - len(a.b) - len("\r\n")
	if !a.is(' ') || a.peek() != '(' {
		return nil
	}
	if err := a.list(func() error { return s.selectParameter(a) }); err != nil {
		return err
	}
	c.text = append(c.text[:end], "\r\n"...)
	return a.end()
}

func (s *session) selectParameter(a *scanner) error {
	word, err := a.keyword()
	if err != nil {
		return err
	}
	switch {
	case word == "CONDSTORE":
		s.condStore = true
		return nil
	case word == "QRESYNC" && !s.qresync:
		return bad("ENABLE QRESYNC first")
	case word == "QRESYNC":
		if err := a.space(); err != nil {
			return err
		}
		s.resync, err = parseResync(a)
		return err
	}
	return expected("CONDSTORE or QRESYNC")
}

// parseResync reads (uidvalidity modseq [uids] [(numbers uids)]).
func parseResync(a *scanner) (*resync, error) {
	r, field := &resync{}, 0
	return r, a.list(func() error {
		var err error
		var n uint64
		switch field++; {
		case field == 1:
			n, err = a.number(math.MaxUint32)
			r.validity = uint32(n)
		case field == 2:
			r.modSeq, err = a.number(math.MaxInt64)
		case field == 3 && a.peek() != '(':
			r.uids, err = a.set()
		case field <= 4 && a.peek() == '(':
			field = 4
			err = r.match(a)
		default:
			err = expected("a parenthesis")
		}
		return err
	})
}

func (r *resync) match(a *scanner) error {
	sets := []*numbers{&r.matched, &r.matchedUIDs}
	return a.list(func() (err error) {
		if len(sets) == 0 {
			return expected("two sets of numbers")
		}
		*sets[0], err = a.set()
		sets = sets[1:]
		return err
	})
}

// catchUp appends what has changed since the client knew the mailbox: what vanished, and the messages
// whose flags changed.
func (s *session) catchUp(b []byte, r *resync) []byte {
	v := s.view
	if r.validity != v.base.UIDValidity {
		return b
	}
	known := r.uids
	if len(known.ranges) == 0 {
		known = numbers{ranges: []numRange{{1, star}}}
	}
	b = s.earlier(b, known, r.unchanged(v))
	v.each([]indexRange{{0, v.count()}}, func(i int, m mailbox.Message) error {
		if m.ModSeq > r.modSeq {
			b = s.flagsLine(b, i, m)
		}
		return nil
	})
	return b
}

// unchanged is the highest UID of those that still have the sequence number the client remembers: none
// below it has vanished.
func (r *resync) unchanged(v *view) uint32 {
	highest := uint32(0)
	next, stop := iter.Pull(r.matchedUIDs.all())
	defer stop()
	for seq := range r.matched.all() {
		uid, ok := next()
		if !ok || int64(seq) > int64(v.count()) || uint32(v.base.At(int(seq)-1).UID) != uid {
			break
		}
		highest = uid
	}
	return highest
}

// earlier appends which of the UIDs above low are not there any more. What was never there
// counts too, as nobody remembers (RFC 7162 §3.2.5.2 allows it).
func (s *session) earlier(b []byte, known numbers, low uint32) []byte {
	v, next := s.view, uint32(s.view.base.UIDNext)
	var gone numbers
	for _, r := range known.ranges {
		uid := max(r.low, low+1)
		if r.low == star || next == 0 {
			continue
		}
		high := min(r.high, next-1)
		i, _ := v.base.Find(mailbox.UID(uid))
		for _, m := range v.base.From(i) {
			if uint32(m.UID) > high {
				break
			}
			gone.addRange(uid, uint32(m.UID)-1)
			uid = uint32(m.UID) + 1
		}
		gone.addRange(uid, high)
	}
	if len(gone.ranges) == 0 {
		return b
	}
	return append(gone.append(append(b, "* VANISHED (EARLIER) "...)), "\r\n"...)
}

// addRange appends numbers that are greater than all that are there, if low is not above high.
func (n *numbers) addRange(low, high uint32) {
	if low <= high {
		n.ranges = append(n.ranges, numRange{low, high})
	}
}

// vanish appends the responses for messages that are gone: with QRESYNC their UIDs, else their numbers,
// the last first, so that each is right when it is read.
func (s *session) vanish(b []byte, uids []mailbox.UID) []byte {
	if len(uids) == 0 {
		return b
	}
	if s.qresync {
		var set numbers
		for _, uid := range uids {
			set.add(uint32(uid))
		}
		return append(set.append(append(b, "* VANISHED "...)), "\r\n"...)
	}
	for k := len(uids) - 1; k >= 0; k-- {
		i, _ := s.view.base.Find(uids[k])
		b = append(strconv.AppendInt(append(b, "* "...), int64(i+1), 10), " EXPUNGE\r\n"...)
	}
	return b
}

// editEnable notes what is enabled of what the library does not know (RFC 5161).
func (s *session) editEnable(c *command) error {
	a := c.arguments()
	s.front.enables = nil
	for a.is(' ') {
		word, err := a.keyword()
		if err != nil {
			return err
		}
		if word == "CONDSTORE" || word == "QRESYNC" {
			s.front.enables = append(s.front.enables, word)
		}
	}
	return nil
}

// enabled adds that to the library's answer.
func (f *front) enabled(line []byte) []byte {
	line = line[: len(line)-len("\r\n") : len(line)]
	line = append([]byte(nil), line...)
	for _, word := range f.enables {
		f.session.condStore = true
		f.session.qresync = f.session.qresync || word == "QRESYNC"
		line = append(append(line, ' '), word...)
	}
	return append(line, "\r\n"...)
}
