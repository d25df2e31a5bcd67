package mailbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// compare asks a snapshot all that can be asked.
func (g *gambler) compare(s *Snapshot) {
	g.Helper()
	var names []string
	for _, info := range s.Mailboxes() {
		if !info.Selectable {
			if _, err := s.Mailbox(info.Name); !errors.Is(err, ErrNoMailbox) {
				g.Errorf("%s is opened: %v", info.Name, err)
			}
			continue
		}
		names = append(names, info.Name)
		if g.m.has(info.Name) {
			g.compareBox(s, info, g.m[info.Name])
		}
	}
	want := slices.Sorted(maps.Keys(g.m))
	if slices.Sort(names); !slices.Equal(names, want) {
		g.Errorf("mailboxes: got %v, want %v", names, want)
	}
}

func (g *gambler) compareBox(s *Snapshot, info Info, want *modelBox) {
	g.Helper()
	m, err := s.Mailbox(info.Name)
	if err != nil {
		g.Fatal(err)
	}
	if m.Info != info {
		g.Errorf("%s: counted %+v, stored %+v", info.Name, m.Info, info)
	}
	if info.UIDValidity != want.validity || info.UIDNext != want.next || info.Messages != len(want.msgs) {
		g.Errorf("%s: got %+v, want UIDVALIDITY %d, UIDNEXT %d, %d messages", info.Name, info, want.validity, want.next, len(want.msgs))
	}
	if info.HighestModSeq < g.seq[info.UIDValidity] {
		g.Errorf("%s: modseq goes back from %d to %d", info.Name, g.seq[info.UIDValidity], info.HighestModSeq)
	}
	g.seq[info.UIDValidity] = info.HighestModSeq
	var bytes int64
	last := UID(0)
	for i, msg := range m.All() {
		w, ok := want.msgs[msg.UID]
		c, err := m.Content(context.Background(), msg)
		if !ok || err != nil || w.flags != msg.Flags.String() || w.text != string(c.Bytes()) || int64(msg.Size) != c.Size() {
			g.Errorf("%s/%d: got %v, %q, %v, want %+v", info.Name, msg.UID, msg, c.Bytes(), err, w)
		}
		at, found := m.Find(msg.UID)
		if at != i || !found || m.At(i) != msg || msg.UID <= last || msg.ModSeq > info.HighestModSeq {
			g.Errorf("%s/%d is at %d, %v, want %d", info.Name, msg.UID, at, found, i)
		}
		last = msg.UID
		bytes += c.Size()
		key := fmt.Sprint(info.UIDValidity, " ", msg.UID)
		if was, ok := g.ever[key]; ok && was != w.text {
			g.Errorf("%s: the bytes have changed from %q to %q", key, was, w.text)
		}
		g.ever[key] = w.text
	}
	if bytes != info.Bytes {
		g.Errorf("%s: got %d bytes, want %d", info.Name, info.Bytes, bytes)
	}
	g.follow(m)
}

// follow has a client learn what is new by Between alone.
func (g *gambler) follow(m *Mailbox) {
	g.Helper()
	id := m.ID()
	known := g.mirror[id]
	if old := g.versions[id]; old == nil {
		known = map[UID]Message{}
		for _, msg := range m.All() {
			known[msg.UID] = msg
		}
	} else {
		g.learn(known, Between(old, m), m)
	}
	g.mirror[id], g.versions[id] = known, m
	if len(known) != m.Len() {
		g.Errorf("%s: who follows knows %d messages of %d", m.Name, len(known), m.Len())
	}
	for _, msg := range m.All() {
		if known[msg.UID] != msg {
			g.Errorf("%s: who follows knows %+v, want %+v", m.Name, known[msg.UID], msg)
		}
	}
}

func (g *gambler) learn(known map[UID]Message, c Changes, m *Mailbox) {
	g.Helper()
	for _, uid := range c.Vanished {
		if _, ok := known[uid]; !ok {
			g.Errorf("%d vanished, and was not there", uid)
		}
		delete(known, uid)
	}
	for _, uid := range slices.Concat(c.Added, c.Changed) {
		i, ok := m.Find(uid)
		if !ok {
			g.Errorf("%d has changed, and is not there", uid)
			continue
		}
		known[uid] = m.At(i)
	}
}

// TestReplica compares what is seen of a repository that was carried elsewhere, object by object.
func TestReplica(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	g := newGambler(k, 99)
	for range 30 {
		g.step()
	}
	there := mem.New()
	carry(t, k.repo.Backend(), there, "refs/heads/mail/alice")
	again := Open(store.New(there, store.Options{}), g.o)
	s, err := again.Box("alice").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.compare(s)
}
