package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"cairn/services/config"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"

	"github.com/emersion/go-smtp"
)

func TestDelivery(t *testing.T) {
	h := open(t)
	h.accept(from("bob@elsewhere.example", letter, "alice@example.org", "info@example.org", "ALICE@example.org", "both@example.org"))
	if got := h.counts("INBOX"); got != [3]int{1, 1, 0} {
		t.Errorf("got %v messages, want 1 for alice, 1 for bob", got)
	}
	queued := h.queued()
	if len(queued) != 1 || queued[0].To[0].Address != "carol@elsewhere.example" {
		t.Fatalf("queued: got %+v, want one for carol", queued)
	}
	if !strings.HasPrefix(queued[0].From, "SRS0=") || !strings.HasSuffix(queued[0].From, "@example.org") {
		t.Errorf("forwarded from %q, want an address of ours that stands for bob's", queued[0].From)
	}
	got := h.got("alice", "INBOX")[0]
	if !strings.HasSuffix(got, letter) || !strings.HasPrefix(got, "Return-Path: <bob@elsewhere.example>\r\nDelivered-To: alice@example.org\r\nReceived: from client.elsewhere.example") {
		t.Errorf("got %q", got)
	}
	// The report of a message that was passed on goes back to who has sent it.
	h.accept(from("", letter, queued[0].From))
	if back := h.queued(); len(back) != 2 || back[0].To[0].Address != "bob@elsewhere.example" || back[0].From != "" {
		t.Errorf("queued: got %+v, want one for bob, too", back)
	}
	h.refused(from("", letter, strings.Replace(queued[0].From, "=bob", "=eve", 1)), "550 5.1.1")
}

func TestRefused(t *testing.T) {
	h := open(t)
	h.refused(from("bob@elsewhere.example", letter, "nobody@example.org"), "550 5.1.1")
	h.refused(from("bob@elsewhere.example", letter, "alice@example.org", "nobody@example.org"), "550 5.1.1")
	h.refused(from("bob@elsewhere.example", letter, "alice@example.org", "carol@elsewhere.example"), "550 5.7.1")
	h.refused(from("bob@elsewhere.example", "Delivered-To: Alice@example.org\r\n"+letter, "alice@example.org"), "554 5.4.6")
	h.refused(from("bob@elsewhere.example", strings.Repeat("Received: from a by b\r\n", 101)+letter, "alice@example.org"), "554 5.4.6")
	h.refused(from("bob@elsewhere.example", strings.Repeat("X: y\r\n", message.MaxFields)+letter, "alice@example.org"), "554 5.6.0")
	h.refused(from("bob@elsewhere.example", "X: "+strings.Repeat("y", message.MaxHeader)+"\r\n"+letter, "alice@example.org"), "552 5.3.4")
	if got := h.counts("INBOX"); got != [3]int{} {
		t.Errorf("got %v messages, want none", got)
	}
	if got := h.queued(); len(got) != 0 {
		t.Errorf("queued: got %v, want none", got)
	}
	h.accept(from("bob@elsewhere.example", strings.Repeat("Received: from a by b\r\n", 100)+letter, "alice@example.org"))
	h.accept(from("bob@elsewhere.example", "", "alice@example.org"))
}

// TestQueueUnderstands makes sure that what is refused for good is not tried again for days.
func TestQueueUnderstands(t *testing.T) {
	h := open(t)
	err := h.Send(context.Background(), "", []string{"nobody@example.org"}, []byte(letter))
	if r, ok := errors.AsType[*smtp.SMTPError](err); !ok || r.Code != 550 || r.EnhancedCode != [3]int{5, 1, 1} {
		t.Errorf("got %v, %v; want 550 5.1.1", r, ok)
	}
}

func TestQuota(t *testing.T) {
	h := open(t)
	ctx := context.Background()
	check(t, h.Config.EditMail(ctx, object.Signature{}, "Set a quota", func(m *config.Mail) error {
		m.Quotas = map[string]config.Size{"alice": 2000}
		return nil
	}))
	admit := func(address string, size int64) string {
		if err := h.Admit(ctx, address, size, nil); err != nil {
			return err.Error()[:9]
		}
		return ""
	}
	for _, c := range []struct {
		address string
		size    int64
		want    string
	}{{"alice@example.org", 1000, ""}, {"alice@example.org", 0, ""}, {"alice@example.org", 2001, "552 5.2.2"}, {"bob@example.org", 1 << 30, ""}, {"info@example.org", 2001, "552 5.2.2"}} {
		if got := admit(c.address, c.size); got != c.want {
			t.Errorf("empty, %s with %d bytes: got %q, want %q", c.address, c.size, got, c.want)
		}
	}
	large := letter + strings.Repeat("x", 900) + "\r\n"
	h.accept(from("bob@elsewhere.example", large, "alice@example.org"))
	if got := admit("alice@example.org", 1500); got != "452 4.2.2" {
		t.Errorf("with one message: got %q, want 452 4.2.2", got)
	}
	h.refused(from("bob@elsewhere.example", large, "bob@example.org", "alice@example.org"), "452 4.2.2")
	if got := h.counts("INBOX"); got != [3]int{1, 0, 0} {
		t.Errorf("got %v messages, want 1 for alice", got)
	}
}

// TestManyReceivers sends to aliases that lead to more than a message may have.
func TestManyReceivers(t *testing.T) {
	h := open(t)
	in := from("bob@elsewhere.example", letter)
	n := 0
	for len(in.To)*60 <= maxReceivers {
		d := config.Domain{Name: fmt.Sprintf("d%d.example", n), Aliases: map[string][]string{}}
		for alias := range 65 { // a domain's record has room for no more
			for range 60 {
				n++
				d.Aliases[fmt.Sprint(alias)] = append(d.Aliases[fmt.Sprint(alias)], fmt.Sprintf("%d@b.c", n))
			}
			in.To = append(in.To, Recipient{Address: fmt.Sprintf("%d@%s", alias, d.Name)})
		}
		check(t, h.Config.AddDomain(context.Background(), object.Signature{}, d))
	}
	h.refused(in, "452 4.5.3")
	in.To = in.To[:3]
	h.accept(in)
	to := 0
	for _, item := range h.queued() {
		to += len(item.To)
	}
	if to != 180 {
		t.Errorf("%d are to get it, want 180", to)
	}
}

// A flaky backend does not take every commit.
type flaky struct {
	store.Backend
	fails func() bool
}

func (f *flaky) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if f.fails() {
		return fmt.Errorf("disk full: %w", store.ErrTemporary)
	}
	return f.Backend.Commit(ctx, objs, changes)
}

// TestAllOrNothing delivers to three mailboxes and the queue while the store fails now and then.
func TestAllOrNothing(t *testing.T) {
	n := 0
	broken := false
	h := openOn(t, &flaky{mem.New(), func() bool { n++; return broken && n%3 != 0 }})
	broken = true
	taken := 0
	for i := range 30 {
		err := h.Accept(context.Background(), from("bob@elsewhere.example", fmt.Sprintf("X: %d\r\n%s", i, letter), "both@example.org", "carol@example.net"))
		if err == nil {
			taken++
		} else if r := AsRefusal(err); r.Code != 451 || !errors.Is(err, store.ErrTemporary) {
			t.Fatalf("got %v, want 451", err)
		}
		if got := h.counts("INBOX"); got != [3]int{taken, taken, taken} {
			t.Fatalf("got %v messages, want %d for each", got, taken)
		}
		if got := len(h.queued()); got != taken {
			t.Fatalf("queued: got %d, want %d", got, taken)
		}
	}
	if taken == 0 || taken == 30 {
		t.Errorf("%d of 30 were taken: nothing was tried", taken)
	}
}

// TestOneBlob sends one message to many and looks how much of it was stored.
func TestOneBlob(t *testing.T) {
	var stored int
	backend := &counting{Backend: mem.New(), seen: func(objs []object.Object) {
		for _, o := range objs {
			if len(o.Data) > 50_000 {
				stored++
			}
		}
	}}
	h := openOn(t, backend)
	ctx := context.Background()
	in := from("bob@elsewhere.example", letter+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000))
	check(t, h.Repo.Branch("accounts").Update(ctx, store.Change{Message: "Add people"}, func(tx *store.Tx) error {
		for i := range 300 {
			in.To = append(in.To, Recipient{Address: fmt.Sprintf("u%d@example.org", i)})
			if err := tx.Put(fmt.Sprintf("users/u%d.toml", i), nil); err != nil {
				return err
			}
		}
		return nil
	}))
	h.accept(in)
	if stored != 1 {
		t.Errorf("the message was stored %d times, want once", stored)
	}
	for _, user := range []string{"u0", "u123", "u299"} {
		if got := h.got(user, "INBOX"); len(got) != 1 || !strings.HasSuffix(got[0], string(in.Raw)) {
			t.Errorf("%s got %d messages, want the one", user, len(got))
		}
	}
}

type counting struct {
	store.Backend
	seen func([]object.Object)
}

func (c *counting) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	c.seen(objs)
	return c.Backend.Commit(ctx, objs, changes)
}

// TestSeal makes sure that nothing of a message can be read in the repository of a user who does not want it.
func TestSeal(t *testing.T) {
	var all bytes.Buffer
	h := openOn(t, &counting{Backend: mem.New(), seen: func(objs []object.Object) {
		for _, o := range objs {
			all.Write(o.Data)
		}
	}})
	var sealed []byte
	h.Seal = func(_ context.Context, user string, raw []byte) ([]byte, error) {
		switch user {
		case "alice":
			sealed = raw
			return []byte("Subject: ...\r\n\r\nwhat nobody can read\r\n"), nil
		case "bob":
			return nil, errors.New("bob's key is broken")
		}
		return nil, nil
	}
	h.accept(from("bob@elsewhere.example", letter, "alice@example.org"))
	got := h.got("alice", "INBOX")
	if len(got) != 1 || got[0] != "Delivered-To: alice@example.org\r\nSubject: ...\r\n\r\nwhat nobody can read\r\n" {
		t.Errorf("got %q", got)
	}
	if !strings.HasSuffix(string(sealed), letter) || !strings.HasPrefix(string(sealed), "Return-Path:") {
		t.Errorf("sealed was %q, want the message and what we put in front of it", sealed)
	}
	for _, word := range []string{"hello", "How are you", "elsewhere.example"} {
		if bytes.Contains(bytes.ReplaceAll(all.Bytes(), []byte("carol@elsewhere.example"), nil), []byte(word)) {
			t.Errorf("%q stands in the repository", word)
		}
	}
	h.refused(from("bob@elsewhere.example", letter, "bob@example.org"), "451 4.3.0")
	for user, want := range map[string]bool{"alice": true, "bob": false, "carol": true} {
		if err := h.Admit(context.Background(), user+"@localhost", 0, nil); (err == nil) != want {
			t.Errorf("admit %s: got %v", user, err)
		}
	}
	if got := h.counts("INBOX"); got != [3]int{1, 0, 0} {
		t.Errorf("got %v messages, want 1 for alice", got)
	}
}

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		name   string
		wishes Wishes
		err    error
		junk   bool
		inbox  [3]int
		other  [3]int // in Shop
		queued []string
		reply  string // what Accept says; "" when the message is taken
	}{
		{name: "keep", wishes: Wishes{File: []Filing{{Mailbox: "INBOX", Flags: mailbox.NewFlags(mailbox.Seen)}}}, inbox: [3]int{1, 0, 0}},
		{name: "discard", wishes: Wishes{}},
		{name: "an error", err: errors.New("a mistake"), inbox: [3]int{1, 0, 0}},
		{name: "fileinto what is not there", wishes: Wishes{File: []Filing{{Mailbox: "Shop"}}}, inbox: [3]int{1, 0, 0}},
		{name: "fileinto :create", wishes: Wishes{File: []Filing{{Mailbox: "Shop", Create: true}}}, other: [3]int{1, 0, 0}},
		{name: "fileinto what cannot be", wishes: Wishes{File: []Filing{{Mailbox: "a//b", Create: true}}}, inbox: [3]int{1, 0, 0}},
		{name: "both", wishes: Wishes{File: []Filing{{Mailbox: "Shop", Create: true}, {Mailbox: "INBOX"}}}, inbox: [3]int{1, 0, 0}, other: [3]int{1, 0, 0}},
		{name: "redirect", wishes: Wishes{Redirect: []string{"carol@elsewhere.example"}}, queued: []string{"carol@elsewhere.example"}},
		{name: "redirect within", wishes: Wishes{Redirect: []string{"bob@example.org"}}, inbox: [3]int{0, 1, 0}},
		{name: "redirect to herself", wishes: Wishes{Redirect: []string{"alice@example.org"}}, inbox: [3]int{1, 0, 0}},
		{name: "redirect to nobody", wishes: Wishes{Redirect: []string{"nobody@example.org"}}, inbox: [3]int{1, 0, 0}},
		{name: "reject", wishes: Wishes{Reject: "go away"}, reply: "550 5.7.1 go away"},
		{name: "reply", wishes: Wishes{File: []Filing{{Mailbox: "INBOX"}}, Replies: []Reply{{To: "bob@elsewhere.example", Raw: []byte("From: alice@example.org\r\n\r\n")}}},
			inbox: [3]int{1, 0, 0}, queued: []string{"bob@elsewhere.example"}},
		{name: "reply within", wishes: Wishes{Replies: []Reply{{To: "carol@example.net", Raw: []byte("From: alice@example.org\r\n\r\n")}}}, inbox: [3]int{0, 0, 1}},
		{name: "remember", wishes: Wishes{Remember: func(e *mailbox.Edit) error { return e.Create("Shop", "") }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			h.Filter = func(_ context.Context, d *Delivery) (*Wishes, error) {
				if d.User != "alice" {
					return nil, nil
				}
				w := c.wishes
				return &w, c.err
			}
			in := from("bob@elsewhere.example", letter, "alice+x@example.org")
			if c.reply != "" {
				h.refused(in, c.reply)
			} else {
				h.accept(in)
			}
			if got := h.counts("INBOX"); got != c.inbox {
				t.Errorf("INBOX: got %v, want %v", got, c.inbox)
			}
			if got := h.counts("Shop"); got != c.other {
				t.Errorf("Shop: got %v, want %v", got, c.other)
			}
			var queued []string
			for _, item := range h.queued() {
				queued = append(queued, item.To[0].Address)
			}
			if strings.Join(queued, " ") != strings.Join(c.queued, " ") {
				t.Errorf("queued: got %v, want %v", queued, c.queued)
			}
		})
	}
}

// TestFilterCircle has users send everything on to one another.
func TestFilterCircle(t *testing.T) {
	h := open(t)
	next := map[string]string{"alice": "bob@example.org", "bob": "carol@example.net", "carol": "alice@example.org"}
	h.Filter = func(_ context.Context, d *Delivery) (*Wishes, error) {
		return &Wishes{Redirect: []string{next[d.User]}}, nil
	}
	h.accept(from("bob@elsewhere.example", letter, "alice@example.org"))
	if got := h.counts("INBOX"); got != [3]int{0, 0, 1} {
		t.Errorf("got %v messages, want one with carol, who is last", got)
	}
}

// TestReturned has what was passed on come back.
func TestReturned(t *testing.T) {
	h := open(t)
	h.Filter = func(_ context.Context, d *Delivery) (*Wishes, error) {
		return &Wishes{Redirect: []string{"alice@elsewhere.example"}, File: []Filing{d.Keep()}}, nil
	}
	for _, address := range []string{"alice@example.org", "away@example.org"} {
		in := from("bob@elsewhere.example", letter, address)
		task, err := h.begin(context.Background(), in, NewPlan(store.Change{Message: "Deliver"}))
		check(t, err)
		check(t, task.reach(context.Background(), in.To[0], 0))
		check(t, task.settle(context.Background()))
		if len(task.plan.queue) != 1 {
			t.Fatalf("%s: %d messages leave, want 1", address, len(task.plan.queue))
		}
		h.refused(from("bob@elsewhere.example", string(task.plan.queue[0].Raw), address), "554 5.4.6")
	}
	if got := h.counts("INBOX"); got != [3]int{} {
		t.Errorf("got %v messages, want none", got)
	}
}

// TestRejectOfOne has one of two recipients reject the message of a user.
func TestRejectOfOne(t *testing.T) {
	h := open(t)
	h.Filter = func(_ context.Context, d *Delivery) (*Wishes, error) {
		if d.User == "bob" {
			return &Wishes{Reject: "go away"}, nil
		}
		return nil, nil
	}
	h.accept(h.by("alice", "From: alice@example.org\r\n\r\nhi\r\n", "bob@example.org", "carol@example.net"))
	got := h.got("alice", "INBOX")
	if len(got) != 1 || !strings.Contains(got[0], "go away") || !strings.Contains(got[0], "Action: failed") {
		t.Errorf("alice got %q, want a report", got)
	}
	if got := h.counts("INBOX"); got != [3]int{1, 0, 1} {
		t.Errorf("got %v messages, want one with carol", got)
	}
}

// TestSuccess asks to be told of the delivery (RFC 3461).
func TestSuccess(t *testing.T) {
	h := open(t)
	in := h.by("alice", "From: alice@example.org\r\n\r\nhi\r\n", "bob@example.org")
	in.To[0].Notify, in.To[0].ORcpt, in.EnvID = []string{"SUCCESS"}, "rfc822;bob@example.org", "mine"
	h.accept(in)
	got := h.got("alice", "INBOX")
	if len(got) != 1 || !strings.Contains(got[0], "Action: delivered") || !strings.Contains(got[0], "Original-Envelope-Id: mine") {
		t.Errorf("alice got %q, want a report", got)
	}
	in = from("bob@elsewhere.example", letter, "bob@example.org") // nobody knows whether it was bob
	in.To[0].Notify = []string{"SUCCESS"}
	h.accept(in)
	if got := h.queued(); len(got) != 0 {
		t.Errorf("queued: got %v, want nothing", got)
	}
}

func TestSinks(t *testing.T) {
	h := open(t)
	h.Sinks = []Sink{aSink{}}
	h.accept(from("bob@elsewhere.example", letter, "list@example.org", "bob@example.org"))
	tree, err := h.Repo.Branch("lists/list").Tree(context.Background())
	check(t, err)
	if got, _, err := tree.Blob("last"); err != nil || string(got) != letter {
		t.Errorf("got %q, %v; want the message", got, err)
	}
	if got := h.counts("INBOX"); got != [3]int{0, 1, 0} {
		t.Errorf("got %v messages, want 1 for bob", got)
	}
}

type aSink struct{}

func (aSink) Takes(_ context.Context, local, domain string) (bool, error) {
	return local == "list" && domain == "example.org", nil
}

func (aSink) Take(_ context.Context, p *Plan, d *Delivery) error {
	p.Write("lists/list", func(tx *store.Tx) error { return tx.Put("last", d.Raw) })
	return nil
}

func TestDelivered(t *testing.T) {
	h := open(t)
	var heard []string
	h.Delivered = func(_ context.Context, d *Delivery) { heard = append(heard, d.User+" from "+d.Author()) }
	h.accept(from("bob@elsewhere.example", letter, "info@example.org"))
	h.accept(h.by("bob", "From: bob@example.org\r\n\r\n", "alice@example.org"))
	h.Delivered = func(context.Context, *Delivery) { panic("a mistake") }
	h.accept(from("bob@elsewhere.example", letter, "info@example.org"))
	if got, want := strings.Join(heard, ", "), "alice from , bob from , alice from bob@example.org"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
