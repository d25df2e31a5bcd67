package mailbox

import (
	"bytes"
	"errors"
	"time"

	"cairn/services/mail/message"
	"cairn/store"
	"cairn/store/object"
)

// takeIn makes a file a message of a mailbox, with what lies at trace ("": nothing) before it. What is too large to be
// served stays where it is, and what is too much for one Update does for now.
func (s *settling) takeIn(d *draft, path, trace string) error {
	if s.left <= 0 {
		return nil
	}
	data, hash, err := s.tx.Blob(path)
	if errors.Is(err, store.ErrTooLarge) {
		return nil
	}
	if err != nil {
		return err
	}
	raw := internet(data)
	m := Message{Blob: hash, received: storable(dated(raw, s.boxes.o.Now()))}
	if m.hide, err = formatSpans(s.boxes.o.Hide(raw)); err != nil {
		return err
	}
	var before []byte
	if trace != "" {
		before, hash, err = s.tx.Blob(trace)
		if errors.Is(err, store.ErrTooLarge) {
			return nil
		}
		if err != nil {
			return err
		}
		m.Trace = hash
	}
	c, err := newContent(before, raw, m.hide)
	if err != nil {
		return err
	}
	m.Size = uint32(c.Size())
	err = s.add(d, &m, func() error {
		if len(raw) == len(data) {
			return s.link(d, &m)
		}
		s.left -= len(raw)
		blob := store.NewBlob(raw)
		m.Blob = blob.Hash()
		if err := s.tx.PutBlob(rawPath(d.dir, m.UID), blob); err != nil || trace == "" {
			return err
		}
		return s.tx.Link(tracePath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Trace})
	})
	if err == nil && trace != "" {
		err = s.tx.Remove(trace)
	}
	if err == nil {
		err = s.tx.Remove(path)
	}
	return err
}

// internet gives a message whose lines end as on this computer the line ends of mail (RFC 5322 §2.1).
func internet(raw []byte) []byte {
	if bytes.Contains(raw, []byte("\r\n")) || len(raw) > store.MaxObject/2 {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

// dated is when a message says that it was written.
func dated(raw []byte, otherwise time.Time) time.Time {
	head, _ := message.Split(raw)
	if t, ok := message.ParseHeader(head).Date(); ok {
		return t
	}
	return otherwise
}
