package scripts

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/mail"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/queue"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A house is a mail service with alice and bob, who serve example.org, and their scripts.
type house struct {
	*Shelf
	t   testing.TB
	now time.Time
}

func open(t testing.TB) *house {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	sec, err := secrets.Open(repo.Branch("secrets"), [32]byte{1})
	check(t, err)
	h := &house{t: t, now: time.Date(2026, 11, 11, 8, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	service := &mail.Service{
		Repo: repo, Accounts: accounts.New(repo.Branch("accounts")), Config: config.Open(repo.Branch("config")),
		Boxes: mailbox.Open(repo, mailbox.Options{Now: clock}), Queue: queue.Open(repo, sec, queue.Options{Hostname: func() string { return "mail.example.org" }}),
		SRSKey: []byte("a key for the tests of this package"), Now: clock, Log: slog.New(slog.DiscardHandler),
	}
	h.Shelf = &Shelf{Mail: service, Key: []byte("a key")}
	service.Filter = h.Filter
	check(t, repo.Branch("accounts").Update(t.Context(), store.Change{Message: "Add people"}, func(tx *store.Tx) error {
		return errors.Join(
			tx.Put("users/alice.toml", []byte("name = \"Alice\"\naddresses = [\"lis@example.org\"]\n")),
			tx.Put("users/bob.toml", nil))
	}))
	check(t, service.Config.AddDomain(t.Context(), object.Signature{}, config.Domain{Name: "example.org"}))
	return h
}

func (h *house) user(name string) *accounts.User {
	h.t.Helper()
	u, err := h.Mail.Accounts.User(h.t.Context(), name)
	check(h.t, err)
	return u
}

// use makes a script alice's active one.
func (h *house) use(source string) {
	h.t.Helper()
	u := h.user("alice")
	check(h.t, h.Put(h.t.Context(), u, "rules", []byte(source)))
	check(h.t, h.Activate(h.t.Context(), u, "rules"))
}

// accept brings a message from outside.
func (h *house) accept(from, raw string, to ...string) error {
	in := &mail.Incoming{
		ID: "1", From: from, Raw: []byte(strings.ReplaceAll(raw, "\n", "\r\n")), Protocol: "ESMTP",
		Client: netip.MustParseAddr("192.0.2.1"), Helo: "client.elsewhere.example",
	}
	for _, a := range to {
		in.To = append(in.To, mail.Recipient{Address: a})
	}
	return h.Mail.Accept(h.t.Context(), in)
}

// boxes says what a user has: mailboxes with messages, the number of these, and the flags of the last.
func (h *house) boxes(user string) string {
	h.t.Helper()
	s, err := h.Mail.Boxes.Box(user).Snapshot(h.t.Context())
	check(h.t, err)
	var list []string
	for _, info := range s.Mailboxes() {
		if info.Messages == 0 {
			continue
		}
		m, err := s.Mailbox(info.Name)
		check(h.t, err)
		line := info.Name
		for range m.Len() - 1 {
			line += "+"
		}
		if f := m.At(m.Len() - 1).Flags.String(); f != "" {
			line += " " + f
		}
		list = append(list, line)
	}
	return strings.Join(list, ", ")
}

// last is the last message in a mailbox.
func (h *house) last(user, box string) string {
	h.t.Helper()
	s, err := h.Mail.Boxes.Box(user).Snapshot(h.t.Context())
	check(h.t, err)
	m, err := s.Mailbox(box)
	check(h.t, err)
	if m.Len() == 0 {
		h.t.Fatalf("%s of %s is empty", box, user)
	}
	c, err := m.Content(h.t.Context(), m.At(m.Len()-1))
	check(h.t, err)
	return string(c.Bytes())
}

// queued says who is to get what, as "from > to", sorted.
func (h *house) queued() []string {
	h.t.Helper()
	var list []string
	for item, err := range h.Mail.Queue.List(context.Background()) {
		check(h.t, err)
		for _, to := range item.To {
			list = append(list, item.From+" > "+to.Address)
		}
	}
	slices.Sort(list)
	return list
}

// file is a file of alice's branch, "" when it is not there.
func (h *house) file(path string) string {
	h.t.Helper()
	s, err := h.Mail.Boxes.Box("alice").Snapshot(h.t.Context())
	check(h.t, err)
	data, _ := s.ReadFile(path)
	return string(data)
}

// byHand puts a file on alice's branch, as a push does.
func (h *house) byHand(path, content string) {
	h.t.Helper()
	check(h.t, h.Mail.Boxes.Update(h.t.Context(), store.Change{Message: "By hand"}, "alice", func(e *mailbox.Edit) error {
		return e.PutFile(path, []byte(content))
	}))
}

const letter = "From: carol@elsewhere.example\nTo: alice@example.org\nSubject: [club] hello\n\nHow are you?\n"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
