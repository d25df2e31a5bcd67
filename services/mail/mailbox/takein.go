package mailbox

import (
	"bytes"
	"errors"
	"time"

	"cairn/services/mail/message"
	"cairn/store"
	"cairn/store/object"
)

// takeIn makes a file a message of a mailbox, with what lies at trace ("": nothing) before it.
func (e *Edit) takeIn(d *draft, path, trace string) error {
	data, _, err := e.tx.Blob(path)
	if errors.Is(err, store.ErrTooLarge) {
		return nil // it stays where it is
	}
	if err != nil {
		return err
	}
	raw := store.NewBlob(internet(data))
	n := New{Raw: raw, Internal: dated(raw.Bytes(), e.boxes.o.Now())}
	m := Message{Blob: raw.Hash(), received: storable(n.Internal)}
	if trace != "" {
		entry, err := e.tx.Lookup(trace)
		if err != nil {
			return err
		}
		if n.Trace, _, err = e.tx.Blob(trace); err != nil {
			return err
		}
		m.Trace = entry.Hash
	}
	m.Size = uint32(len(n.Trace) + len(raw.Bytes()))
	err = e.add(d, &m, func() error {
		if trace != "" {
			if err := e.tx.Link(tracePath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Trace}); err != nil {
				return err
			}
			if err := e.tx.Remove(trace); err != nil {
				return err
			}
		}
		return e.tx.PutBlob(rawPath(d.dir, m.UID), raw)
	})
	if err != nil {
		return err
	}
	return e.tx.Remove(path)
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
