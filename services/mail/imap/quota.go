package imap

import (
	"errors"
	"math"
	"strconv"

	"cairn/services/mail/mailbox"
)

// There is one quota root, called "", for all mailboxes of a person, and none if there is no
// limit (RFC 9208).

// getQuota is GETQUOTA.
func (s *session) getQuota(c *command) error {
	a := c.arguments()
	root, err := spaced(a, a.astring)
	if err == nil {
		err = a.end()
	}
	if err != nil {
		return err
	}
	if root != "" {
		return no("NONEXISTENT", "The only quota root is the one without a name")
	}
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	return s.front.wire.send(appendQuota(nil, snap))
}

// getQuotaRoot is GETQUOTAROOT. The mailbox need not exist.
func (s *session) getQuotaRoot(c *command) error {
	a := c.arguments()
	if err := a.space(); err != nil {
		return err
	}
	name, err := a.astring()
	if err == nil {
		err = a.end()
	}
	if err != nil {
		return err
	}
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	b := appendString([]byte("* QUOTAROOT "), name, s.utf8())
	if limitOf(snap) == (mailbox.Quota{}) {
		return s.front.wire.send(append(b, "\r\n"...))
	}
	return s.front.wire.send(appendQuota(append(b, " \"\"\r\n"...), snap))
}

// appendQuota writes what is used and allowed. Storage is in units of 1,024 bytes.
func appendQuota(b []byte, snap *mailbox.Snapshot) []byte {
	used, limit := snap.Used(), limitOf(snap)
	b = append(b, "* QUOTA \"\" ("...)
	add := func(name string, used, limit int64) {
		if limit == 0 {
			return
		}
		if b[len(b)-1] != '(' {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(append(append(b, name...), ' '), used, 10)
		b = strconv.AppendInt(append(b, ' '), limit, 10)
	}
	add("STORAGE", (used.Bytes+1023)/1024, limit.Bytes/1024)
	add("MESSAGE", used.Messages, limit.Messages)
	return append(b, ")\r\n"...)
}

func limitOf(snap *mailbox.Snapshot) mailbox.Quota {
	var full *mailbox.QuotaError
	if errors.As(snap.Room(math.MaxInt64/2), &full) {
		return full.Limit
	}
	return mailbox.Quota{}
}
