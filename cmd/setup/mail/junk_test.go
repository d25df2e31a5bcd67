package mail

import (
	"context"
	"fmt"
	"testing"

	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/mail/junk"
	"cairn/services/mail/mailbox"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// newMail is mail without ports.
func newMail(t *testing.T) *Mail {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	m := &Mail{Parts: Parts{Repo: repo, Accounts: accounts.New(repo.Branch("accounts")), Config: config.Open(repo.Branch("config"))}, junk: junk.New(junkBytes)}
	m.Boxes = OpenBoxes(libos.Env{}, repo, m.Config)
	return m
}

func offer(n int) string {
	return fmt.Sprintf("From: shop%d@pills.example\r\nSubject: cheap pills now\r\n\r\nBuy cheap pills, lottery winner, click here for viagra number %d\r\n", n, n)
}

func note(n int) string {
	return fmt.Sprintf("From: bob@example.org\r\nSubject: our garden\r\n\r\nThe tomatoes are ripe, come for dinner on day %d with the children\r\n", n)
}

// fill gives alice offers and notes that she has read; the offers have the lower UIDs.
func fill(t *testing.T, m *Mail) (offers []mailbox.UID) {
	t.Helper()
	const each = 30
	err := m.Boxes.Update(t.Context(), store.Change{Message: "Fill\n"}, "alice", func(e *mailbox.Edit) error {
		offers = offers[:0]
		for i := range 2 * each {
			raw, flags := offer(i), mailbox.Flags{}
			if i >= each {
				raw, flags = note(i), mailbox.NewFlags(mailbox.Seen)
			}
			uid, err := e.Append("INBOX", mailbox.New{Raw: store.NewBlob([]byte(raw)), Flags: flags})
			if err != nil {
				return err
			}
			if i < each {
				offers = append(offers, uid)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return offers
}

// move moves messages to the junk, as a session does.
func move(t *testing.T, m *Mail, uids []mailbox.UID) {
	t.Helper()
	err := m.Boxes.Update(t.Context(), store.Change{Message: "Junk\n"}, "alice", func(e *mailbox.Edit) error {
		var list []mailbox.Message
		for _, uid := range uids {
			msg, err := e.Message("INBOX", uid)
			if err != nil {
				return err
			}
			list = append(list, msg)
		}
		if err := m.teach(t.Context(), e, "INBOX", list, true); err != nil {
			return err
		}
		_, err := e.Move("INBOX", uids, "Junk")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTeach: who moves offers to the junk is bothered by them no longer, and still gets notes.
func TestTeach(t *testing.T) {
	m := newMail(t)
	offers := fill(t, m)
	score := func(raw string) float64 {
		t.Helper()
		s, err := m.score(t.Context(), "alice", nil, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := score(offer(99)); s != junk.Unsure {
		t.Errorf("before anything was taught: %v", s)
	}
	for i := 0; i < len(offers); i += 10 {
		move(t, m, offers[i:i+10])
	}
	if bad, good := score(offer(99)), score(note(99)); bad < junk.Surely || good > junk.Unsure {
		t.Errorf("an offer has %v, a note %v", bad, good)
	}
}

// TestTeachSealed: of a sealed mailbox nothing is learned.
func TestTeachSealed(t *testing.T) {
	m := newMail(t)
	err := m.Config.EditMail(t.Context(), object.Signature{}, "Seal", func(c *config.Mail) error { c.Sealed = []string{"alice"}; return nil })
	if err != nil {
		t.Fatal(err)
	}
	offers := fill(t, m)
	move(t, m, offers)
	snapshot, err := m.Boxes.Box("alice").Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.ReadFile("junk/state.txt"); err == nil {
		t.Error("there are statistics")
	}
	if _, err := m.seal(t.Context(), "alice", []byte(note(1))); err == nil {
		t.Error("a message was taken for somebody who has no key")
	}
}

// TestForeign: of a message that was put in by hand, results that pretend to be ours are hidden.
func TestForeign(t *testing.T) {
	m := newMail(t)
	raw := "Subject: x\r\nAuthentication-Results: localhost; dmarc=pass\r\nTo: y\r\n\r\n"
	if got := foreign(m.Config, []byte(raw)); len(got) != 1 || raw[got[0].Offset:got[0].Offset+got[0].Length] != "Authentication-Results: localhost; dmarc=pass\r\n" {
		t.Errorf("got %v", got)
	}
}
