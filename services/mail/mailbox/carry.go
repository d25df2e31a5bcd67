package mailbox

import "cairn/store/object"

// A Moved is where a message went.
type Moved struct{ From, To UID }

// Copy puts messages into another mailbox, or the same, with their flags and dates; no content is written. Those
// that are absent are passed over. No room for all is a *QuotaError.
func (e *Edit) Copy(from string, uids []UID, to string) ([]Moved, error) {
	return e.carry(from, uids, to, false)
}

// Move is Copy and Expunge. It needs no room.
func (e *Edit) Move(from string, uids []UID, to string) ([]Moved, error) {
	return e.carry(from, uids, to, true)
}

func (e *Edit) carry(from string, uids []UID, to string, move bool) ([]Moved, error) {
	source, err := e.change(from)
	if err != nil {
		return nil, err
	}
	target, err := e.change(to)
	if err != nil {
		return nil, err
	}
	var moved []Moved
	err = e.each(source, uids, func(g *draftGroup, i int) error {
		m := g.msgs[i]
		if !move {
			if err := e.room(Quota{int64(m.Size), 1}); err != nil {
				return err
			}
		}
		if err := e.add(target, &m, func() error { return e.link(target, &m) }); err != nil {
			return err
		}
		moved = append(moved, Moved{g.msgs[i].UID, m.UID})
		if move {
			return e.drop(source, g, i)
		}
		return nil
	})
	return moved, err
}

// link names a message's content again.
func (e *Edit) link(d *draft, m *Message) error {
	if m.Trace != object.Zero {
		if err := e.tx.Link(tracePath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Trace}); err != nil {
			return err
		}
	}
	return e.tx.Link(rawPath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Blob})
}
