package imap

import (
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"

	"cairn/services/mail/mailbox"
)

// A view is the selected mailbox as the client knows it. Its sequence numbers are those of
// base, which moves on only when the client can be told (RFC 9051 §7.5.1); what a message
// is like now is in now.
type view struct {
	name     string
	readOnly bool
	base     *mailbox.Mailbox // as the client was told
	now      *mailbox.Mailbox // as it was seen last
	told     map[mailbox.UID]uint64
	saved    numbers // UIDs, by SEARCH RETURN (SAVE)
}

// count is how many messages the client knows of.
func (v *view) count() int { return v.base.Len() }

// at returns the message of an index as it is now, or was last.
func (v *view) at(i int) mailbox.Message {
	m := v.base.At(i)
	if v.now != v.base {
		if k, ok := v.now.Find(m.UID); ok {
			return v.now.At(k)
		}
	}
	return m
}

// An indexRange is messages of a view, from a first to before a last index.
type indexRange struct{ from, to int }

// find returns the indexes that a set names, ascending. Sequence numbers that nobody has are an error,
// UIDs are not (RFC 9051 §9, seq-number and uniqueid).
func (v *view) find(set numbers, uid bool) ([]indexRange, error) {
	if set.saved {
		set, uid = v.saved, true
	}
	var found []indexRange
	for _, r := range set.ranges {
		var at indexRange
		if uid {
			at = v.uids(r)
		} else if at = v.sequence(r); at.to > v.count() {
			return nil, bad(fmt.Sprintf("The last message is number %d", v.count()))
		}
		if at.from < at.to {
			found = append(found, at)
		}
	}
	return join(found), nil
}

// join sorts ranges, which "*" may have brought into disorder, and makes one of those that overlap.
func join(found []indexRange) []indexRange {
	sort.Slice(found, func(i, j int) bool { return found[i].from < found[j].from })
	out := found[:0]
	for _, r := range found {
		if k := len(out) - 1; k >= 0 && r.from <= out[k].to {
			out[k].to = max(out[k].to, r.to)
			continue
		}
		out = append(out, r)
	}
	return out
}

// uids returns the messages of a range of UIDs. "*" is the last message, also where its UID is less than the
// range's other end.
func (v *view) uids(r numRange) indexRange {
	if r.high != star {
		from, _ := v.base.Find(mailbox.UID(r.low))
		to, ok := v.base.Find(mailbox.UID(r.high))
		if ok {
			to++
		}
		return indexRange{from, to}
	}
	if v.count() == 0 {
		return indexRange{}
	}
	from := v.count() - 1
	if r.low != star {
		i, _ := v.base.Find(mailbox.UID(r.low))
		from = min(from, i)
	}
	return indexRange{from, v.count()}
}

func (v *view) sequence(r numRange) indexRange {
	if v.count() == 0 && r.high == star {
		return indexRange{}
	}
	low, high := uint32(v.count()), uint32(v.count())
	if r.low != star {
		low = r.low
	}
	if r.high != star {
		high = r.high
	}
	return indexRange{int(min(low, high)) - 1, int(max(low, high))}
}

// each calls f with the index and the message, as it is now, of what ranges name.
func (v *view) each(ranges []indexRange, f func(i int, m mailbox.Message) error) error {
	for _, r := range ranges {
		for i, m := range v.base.From(r.from) {
			if i >= r.to {
				break
			}
			if v.now != v.base {
				m = v.at(i)
			}
			if err := f(i, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// uidsOf lists the UIDs of ranges.
func (v *view) uidsOf(ranges []indexRange) []mailbox.UID {
	var uids []mailbox.UID
	v.each(ranges, func(_ int, m mailbox.Message) error {
		uids = append(uids, m.UID)
		return nil
	})
	return uids
}

// refresh looks at how the mailbox is now. One that is gone ends the connection: there is no
// other way to say that nothing holds any more of what the client knows (RFC 2180 §3).
func (s *session) refresh() error {
	v := s.view
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	now, err := snap.Mailbox(v.name)
	if err == nil && now.UIDValidity != v.base.UIDValidity || errors.Is(err, mailbox.ErrNoMailbox) {
		now, err = s.renamed(snap)
	}
	if errors.Is(err, mailbox.ErrNoMailbox) {
		s.front.wire.close("* BYE The selected mailbox was deleted\r\n")
		return net.ErrClosed
	}
	if err == nil {
		v.now = now
	}
	return err
}

// renamed finds the selected mailbox under another name.
func (s *session) renamed(snap *mailbox.Snapshot) (*mailbox.Mailbox, error) {
	for _, info := range snap.Mailboxes() {
		if info.Selectable && info.UIDValidity == s.view.base.UIDValidity {
			s.view.name = info.Name
			return snap.Mailbox(info.Name)
		}
	}
	return nil, mailbox.ErrNoMailbox
}

// poll tells the client what has changed in the selected mailbox, whoever did it: at the
// end of commands, and in IDLE.
func (s *session) poll(expunge bool) error {
	if s.view == nil {
		return nil
	}
	if err := s.refresh(); err != nil {
		return err
	}
	return s.sync(expunge)
}

// sync makes what is now what the client knows. While it may not hear of expunges,
// nothing is told once there are any: its sequence numbers stay as they are.
func (s *session) sync(expunge bool) error {
	v := s.view
	if v.now == v.base {
		return nil
	}
	changes := mailbox.Between(v.base, v.now)
	if len(changes.Vanished) > 0 && !expunge {
		return nil
	}
	b := s.vanish(nil, changes.Vanished)
	old := v.count() - len(changes.Vanished)
	v.base = v.now
	if v.count() != old {
		b = append(strconv.AppendInt(append(b, "* "...), int64(v.count()), 10), " EXISTS\r\n"...)
	}
	for _, uid := range changes.Changed {
		i, ok := v.base.Find(uid)
		if !ok {
			continue
		}
		if m := v.base.At(i); v.told[uid] != m.ModSeq {
			b = s.flagsLine(b, i, m)
		}
		if len(b) >= outBuffer {
			if err := s.front.wire.send(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	v.told = nil
	return s.front.wire.send(b)
}

// flagsLine appends the FETCH response for a change of flags.
func (s *session) flagsLine(b []byte, i int, m mailbox.Message) []byte {
	b = append(strconv.AppendInt(append(b, "* "...), int64(i+1), 10), " FETCH (UID "...)
	b = strconv.AppendUint(b, uint64(m.UID), 10)
	b = append(append(append(b, " FLAGS ("...), m.Flags.String()...), ')')
	if s.condStore {
		b = append(strconv.AppendUint(append(b, " MODSEQ ("...), m.ModSeq, 10), ')')
	}
	return append(b, ")\r\n"...)
}

// know notes that the client knows of a change, or made it and wants to hear nothing.
func (v *view) know(m mailbox.Message) {
	if v.told == nil {
		v.told = map[mailbox.UID]uint64{}
	}
	v.told[m.UID] = m.ModSeq
}
