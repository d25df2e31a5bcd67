package mail

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
	"cairn/services/mail/mailbox"
	"cairn/services/mail/queue"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A house is a mail service with alice, bob and carol, who serve example.org and example.net.
type house struct {
	*Service
	t testing.TB
}

func open(t testing.TB) *house { return openOn(t, mem.New()) }

func openOn(t testing.TB, b store.Backend) *house {
	t.Helper()
	ctx := context.Background()
	repo := store.New(b, store.Options{})
	sec, err := secrets.Open(repo.Branch("secrets"), [32]byte{1})
	check(t, err)
	conf := config.Open(repo.Branch("config"))
	h := &house{t: t, Service: &Service{
		Repo: repo, Accounts: accounts.New(repo.Branch("accounts")), Config: conf, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Boxes: mailbox.Open(repo, mailbox.Options{Now: time.Now, Quota: func(user string) mailbox.Quota {
			m, err := conf.Mail(ctx)
			if err != nil {
				return mailbox.Quota{}
			}
			return mailbox.Quota{Bytes: m.QuotaOf(user)}
		}}),
		Queue:  queue.Open(repo, sec, queue.Options{Hostname: func() string { return "mail.example.org" }}),
		SRSKey: []byte("a key for the tests of this package"),
	}}
	check(t, repo.Branch("accounts").Update(ctx, store.Change{Message: "Add people"}, func(tx *store.Tx) error {
		return errors.Join(
			tx.Put("users/alice.toml", []byte("admin = true\naddresses = [\"lis@example.org\", \"alice@gone.example\", \"x+y@example.org\"]\n")),
			tx.Put("users/bob.toml", []byte("name = \"Bob\"\n")),
			tx.Put("users/carol.toml", []byte("")))
	}))
	check(t, conf.AddDomain(ctx, object.Signature{}, config.Domain{Name: "example.org", Aliases: map[string][]string{
		"info":   {"alice", "bob"},
		"away":   {"carol@elsewhere.example"},
		"both":   {"bob", "carol@elsewhere.example", "info@example.org"},
		"carol":  {"bob"},
		"ring":   {"round@example.org"},
		"round":  {"ring@example.org"},
		"broken": {"nobody", "nobody@example.org"},
		"partly": {"nobody", "bob"},
		"dürer":  {"bob"},
	}}))
	check(t, conf.AddDomain(ctx, object.Signature{}, config.Domain{Name: "example.net", CatchAll: "carol"}))
	return h
}

// got returns the messages in a mailbox, as they are served, oldest first.
func (h *house) got(user, box string) []string {
	h.t.Helper()
	s, err := h.Boxes.Box(user).Snapshot(context.Background())
	check(h.t, err)
	m, err := s.Mailbox(box)
	if errors.Is(err, mailbox.ErrNoMailbox) {
		return nil
	}
	check(h.t, err)
	var all []string
	for _, msg := range m.From(0) {
		c, err := m.Content(context.Background(), msg)
		check(h.t, err)
		all = append(all, string(c.Bytes()))
	}
	return all
}

// counts are how many messages alice, bob and carol have in a mailbox.
func (h *house) counts(box string) [3]int {
	h.t.Helper()
	return [3]int{len(h.got("alice", box)), len(h.got("bob", box)), len(h.got("carol", box))}
}

// queued returns what waits to be carried away, by recipient.
func (h *house) queued() []queue.Item {
	h.t.Helper()
	var all []queue.Item
	for item, err := range h.Queue.List(context.Background()) {
		check(h.t, err)
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b queue.Item) int { return strings.Compare(a.To[0].Address, b.To[0].Address) })
	return all
}

// from is a message from outside.
func from(sender, raw string, to ...string) *Incoming {
	in := &Incoming{
		ID: NewID(), From: sender, Raw: []byte(raw), Protocol: "ESMTP",
		Client: netip.MustParseAddr("192.0.2.1"), Helo: "client.elsewhere.example",
	}
	for _, a := range to {
		in.To = append(in.To, Recipient{Address: a})
	}
	return in
}

// by is a message that a user submits.
func (h *house) by(user, raw string, to ...string) *Incoming {
	h.t.Helper()
	u, err := h.Accounts.User(context.Background(), user)
	check(h.t, err)
	in := from(user+"@example.org", raw, to...)
	in.User, in.Protocol = u, "ESMTPSA"
	return in
}

// accept expects a message to be taken.
func (h *house) accept(in *Incoming) {
	h.t.Helper()
	check(h.t, h.Accept(context.Background(), in))
}

// refused expects a message to be refused, with a code such as "550 5.7.1".
func (h *house) refused(in *Incoming, want string) {
	h.t.Helper()
	err := h.Accept(context.Background(), in)
	var r *Refusal
	if !errors.As(err, &r) || !strings.HasPrefix(r.Error(), want) {
		h.t.Errorf("got %v, want %s", err, want)
	}
}

const letter = "From: bob@elsewhere.example\r\nTo: alice@example.org\r\nSubject: hello\r\n\r\nHow are you?\r\n"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
