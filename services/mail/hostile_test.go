package mail

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"cairn/services/mail/auth"
	"cairn/store"
)

// TestContinued sends messages that would go on with the last field that is put before them.
func TestContinued(t *testing.T) {
	h := open(t)
	for _, first := range []string{" dmarc=pass header.from=bank.example\r\n", "\tx\r\n", " \r\n"} {
		h.refused(from("bob@elsewhere.example", first+letter, "alice@example.org"), "554 5.6.0")
		h.refused(h.by("bob", first+strings.Replace(letter, "bob@elsewhere", "bob", 1), "alice@example.org"), "554 5.6.0")
	}
	if got := h.counts("INBOX"); got != [3]int{} {
		t.Errorf("got %v messages, want none", got)
	}
}

// TestForgedVouching has a trusted server pass on a message whose sender has written a verdict into the address.
func TestForgedVouching(t *testing.T) {
	z := &zone{txt: map[string]string{
		"strict.example": "v=spf1 -all", "_dmarc.strict.example": "v=DMARC1; p=reject",
	}}
	signer := z.signer(t, "list.example")
	original := []byte("From: ceo@strict.example\r\nSubject: news\r\n\r\nhi\r\n")
	there := &auth.Checker{Resolver: z, ID: "list.example"}
	for _, sender := range []string{`"; dmarc=pass ;"@strict.example`, "dmarc=pass@strict.example"} {
		source := auth.Source{IP: netip.MustParseAddr("198.51.100.1"), Helo: "strict.example", MailFrom: sender}
		seal, err := signer.Seal(original, there.Check(context.Background(), source, original))
		check(t, err)
		if !strings.Contains(string(seal), "dmarc=pass") {
			t.Fatalf("the forged words are not there: %s", seal)
		}
		h := open(t)
		h.Checker, h.Sealers = &auth.Checker{Resolver: z, ID: "mail.example.org"}, []string{"list.example"}
		h.refused(from("bounce@list.example", string(seal)+string(original), "alice@example.org"), "550 5.7.1")
	}
}

// TestManyDetails sends one message to many addresses of a user: it is sealed once, and answered once.
func TestManyDetails(t *testing.T) {
	h := open(t)
	sealed := 0
	h.Seal = func(_ context.Context, user string, raw []byte) ([]byte, error) {
		sealed++
		return []byte("Subject: ...\r\n\r\nwhat nobody can read\r\n"), nil
	}
	h.Filter = func(_ context.Context, d *Delivery) (*Wishes, error) {
		reply := Reply{To: d.In.From, Raw: []byte("From: alice@example.org\r\n\r\n")}
		return &Wishes{File: []Filing{d.Keep()}, Replies: []Reply{reply}}, nil
	}
	in := from("victim@elsewhere.example", letter)
	for i := range 10 {
		in.To = append(in.To, Recipient{Address: fmt.Sprintf("alice+%d@example.org", i)})
	}
	h.accept(in)
	if got := h.queued(); len(got) != 1 {
		t.Errorf("%d answers, want 1", len(got))
	}
	if got := h.counts("INBOX"); got != [3]int{10, 0, 0} || sealed != 1 {
		t.Errorf("got %v messages, sealed %d times; want 10 for alice, once", got, sealed)
	}
}

// TestSealedForgery makes sure that results which pretend to be ours are not sealed with ours.
func TestSealedForgery(t *testing.T) {
	h := open(t)
	h.Checker = &auth.Checker{Resolver: &zone{}, ID: "mail.example.org"}
	var sealed string
	h.Seal = func(_ context.Context, _ string, raw []byte) ([]byte, error) {
		sealed = string(raw)
		return []byte("Subject: ...\r\n\r\nwhat nobody can read\r\n"), nil
	}
	h.accept(from("bob@elsewhere.example", "X-A: b\r\nAuthentication-Results: mail.example.org; dmarc=pass\r\n"+letter, "alice@example.org"))
	if strings.Contains(sealed, "dmarc=pass") || !strings.HasSuffix(sealed, "X-A: b\r\n"+letter) {
		t.Errorf("sealed: %q", sealed)
	}
}

// TestMuchSealed bounds the memory that the sealed copies of one message take.
func TestMuchSealed(t *testing.T) {
	h := open(t)
	big := make([]byte, maxSealed/5)
	h.Seal = func(context.Context, string, []byte) ([]byte, error) { return big, nil }
	task := &task{Service: h.Service, sealed: map[string]*store.Blob{}}
	for i, want := range []string{"", "", "", "", "", "452 4.5.3"} {
		_, err := task.sealFor(context.Background(), &Delivery{Target: Target{User: fmt.Sprint(i)}})
		if err != nil && !strings.HasPrefix(err.Error(), want) || (err != nil) != (want != "") {
			t.Errorf("%d: got %v, want %s", i, err, want)
		}
	}
	big = make([]byte, store.MaxObject+1)
	h.refused(from("bob@elsewhere.example", letter, "alice@example.org"), "552 5.3.4")
	if err := h.Admit(context.Background(), "alice@example.org", MaxMessage, nil); err == nil {
		t.Error("admit: what is too large when it is sealed was admitted")
	}
}

// TestQuotedOut sends to and from addresses whose local parts need quotes: the queue has them without.
func TestQuotedOut(t *testing.T) {
	h := open(t)
	h.accept(h.by("bob", strings.Replace(letter, "bob@elsewhere.example", "bob@example.org", 1), `"a \"b@c"@elsewhere.example`))
	if got := h.queued(); len(got) != 1 || got[0].To[0].Address != `a "b@c@elsewhere.example` {
		t.Errorf("queued: got %+v", got)
	}
	h = open(t)
	h.accept(from(`"b b"@elsewhere.example`, letter, "away@example.org"))
	passedOn := h.queued()
	if len(passedOn) != 1 || strings.Contains(passedOn[0].From, `"`) {
		t.Fatalf("queued: got %+v", passedOn)
	}
	h.accept(from("", letter, `"`+strings.Replace(passedOn[0].From, "@example.org", `"@example.org`, 1)))
	if got := h.queued(); len(got) != 2 || got[0].To[0].Address != "b b@elsewhere.example" && got[1].To[0].Address != "b b@elsewhere.example" {
		t.Errorf("queued: got %+v", got)
	}
}

// TestTwoReadings submits messages whose From one program reads as bob's and another as alice's.
func TestTwoReadings(t *testing.T) {
	h := open(t)
	for value, ok := range map[string]bool{
		"bob@example.org":                                          true,
		"Bob <bob@example.org>":                                    true,
		`"Bob <x>" <bob@example.org>`:                              true,
		"bob@example.org (Bob <x>)":                                true,
		"Bob (the (first)) <bob@example.org>, <bob+x@example.org>": true,
		"the two: bob@example.org;":                                true,
		"<bob@example.org> <alice@example.org>":                    false,
		"bob@example.org <alice@example.org>":                      false,
		"bob@example.org, alice@example.org":                       false,
		"bob@example.org (<alice@example.org>":                     false,
		`bob@example.org "<alice@example.org>`:                     false,
		"bob@example.org\r\nFrom: alice@example.org":               false,
		"bob@example.org\r\nFROM : alice@example.org":              false,
		"bob@example.org\r\nSender: alice@example.org":             false,
		"bob@example.org\r\n x\r\nfrom\t: alice@example.org":       false,
	} {
		err := h.Accept(context.Background(), h.by("bob", "From: "+value+"\r\nSubject: x\r\n\r\nhi\r\n", "carol@example.net"))
		if (err == nil) != ok {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

// TestLongReject makes sure that a reply to SMTP stays a line that others can read.
func TestLongReject(t *testing.T) {
	h := open(t)
	h.Filter = func(context.Context, *Delivery) (*Wishes, error) {
		return &Wishes{Reject: strings.Repeat("grün", 10_000)}, nil
	}
	err := h.Accept(context.Background(), from("bob@elsewhere.example", letter, "alice@example.org"))
	var r *Refusal
	if !errors.As(err, &r) || len(r.Text) > maxWords || !utf8.ValidString(r.Text) || !strings.HasPrefix(r.Text, "grün") {
		t.Errorf("got %.500v", err)
	}
}
