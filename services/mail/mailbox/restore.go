package mailbox

import (
	"errors"
	"fmt"

	"cairn/store"
	"cairn/store/object"
)

// Restore brings back what an older Snapshot had and no mailbox has now: each such message is put into the mailbox in
// which it was, which is made when it is gone, under a new UID. Nothing that is there now is changed: UIDs, UIDNEXT and the
// others cannot go back. It returns how many messages it has brought back.
func (e *Edit) Restore(old *Snapshot) (int, error) {
	if err := e.restructure(); err != nil {
		return 0, err
	}
	if err := e.relist(); err != nil {
		return 0, err
	}
	there, err := e.contents()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, info := range old.Mailboxes() {
		if !info.Selectable {
			continue
		}
		m, err := old.Mailbox(info.Name)
		if err != nil {
			return n, err
		}
		more, err := e.restoreBox(m, there)
		if n += more; err != nil {
			return n, fmt.Errorf("bring back mailbox %q: %w", info.Name, err)
		}
	}
	return n, nil
}

// A body is what makes a message what it is, wherever it is.
type body struct {
	raw, trace store.Hash
	hide       string
}

func (m *Message) body() body { return body{m.Blob, m.Trace, m.hide} }

// contents are all messages of all mailboxes.
func (e *Edit) contents() (map[body]bool, error) {
	there := map[body]bool{}
	for i := range e.all {
		p := &e.all[i]
		if p.record == nil || p.hash == object.Zero {
			continue
		}
		known, _ := e.boxes.contents.get(contentKey{e.user, p.record.UIDValidity})
		c, err := readContent(e.tx, p.dir, p.hash, known)
		if err != nil {
			return nil, err
		}
		for _, g := range c.groups {
			for i := range g.msgs {
				there[g.msgs[i].body()] = true
			}
		}
	}
	return there, nil
}

func (e *Edit) restoreBox(m *Mailbox, there map[body]bool) (int, error) {
	n := 0
	for _, msg := range m.All() {
		if there[msg.body()] {
			continue
		}
		there[msg.body()] = true
		d, err := e.change(m.Name)
		if errors.Is(err, ErrNoMailbox) {
			if err := e.Create(m.Name, ""); err != nil {
				return n, err
			}
			d, err = e.change(m.Name)
		}
		if err == nil {
			err = e.room(Quota{int64(msg.Size), 1})
		}
		if err == nil {
			err = e.add(d, &msg, func() error { return e.link(d, &msg) })
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
