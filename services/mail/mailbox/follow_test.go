package mailbox

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"cairn/store/mem"
)

// TestFollow has sessions change a mailbox at the same time, and others follow by Watch and Between alone: in the end
// they know what is there.
func TestFollow(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	const sessions, rounds = 4, 60
	marker := NewFlags("$end")
	var followers, writers sync.WaitGroup
	for range 3 {
		followers.Go(func() { follow(k, marker) })
	}
	for s := range sessions {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(s), 5))
			for i := range rounds {
				if err := k.edit(func(e *Edit) error { return atRandom(e, r, i) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	k.must(func(e *Edit) error {
		n := note(0)
		n.Flags = marker
		_, err := e.Append(Inbox, n)
		return err
	})
	followers.Wait()
}

// atRandom changes INBOX.
func atRandom(e *Edit, r *rand.Rand, i int) error {
	info, err := e.Info(Inbox)
	if err != nil {
		return err
	}
	some := []UID{UID(r.IntN(int(info.UIDNext)) + 1), UID(r.IntN(int(info.UIDNext)) + 1)}
	switch r.IntN(5) {
	case 0:
		_, err = e.Expunge(Inbox, some, nil)
	case 1:
		_, err = e.SetFlags(Inbox, some, func(Message) Flags { return NewFlags([]Flag{Seen, Flagged, Draft}[:r.IntN(4)]...) })
	case 2:
		_, err = e.Move(Inbox, some, "Archive")
	default:
		_, err = e.Append(Inbox, note(i))
	}
	return err
}

// follow learns what is in INBOX until it sees a message with the flags end.
func follow(k *kit, end Flags) {
	known := map[UID]Message{}
	var old *Mailbox
	for s, err := range k.Box("alice").Watch(k.Context()) {
		if err != nil {
			k.Error(err)
			return
		}
		m, err := s.Mailbox(Inbox)
		if err != nil {
			k.Error(err)
			return
		}
		if old == nil {
			old = &Mailbox{Info: m.Info}
		}
		c := Between(old, m)
		for _, uid := range c.Vanished {
			delete(known, uid)
		}
		for _, uid := range slices.Concat(c.Added, c.Changed) {
			i, ok := m.Find(uid)
			if !ok {
				k.Errorf("%d was told of and is not there", uid)
				return
			}
			known[uid] = m.At(i)
		}
		old = m
		if m.Len() > 0 && m.At(m.Len()-1).Flags == end {
			break
		}
	}
	if len(known) != old.Len() {
		k.Errorf("who follows knows %d messages of %d", len(known), old.Len())
	}
	for _, msg := range old.All() {
		if known[msg.UID] != msg {
			k.Errorf("who follows knows %+v, want %+v", known[msg.UID], msg)
		}
	}
}
