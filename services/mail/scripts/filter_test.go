package scripts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cairn/services/mail"
	"cairn/services/mail/auth"
)

// TestDelivery has a message delivered to alice, who has a script.
func TestDelivery(t *testing.T) {
	for _, c := range []struct {
		name, script string
		junk         float64
		want         string
	}{
		{"keep", `keep;`, 0, "INBOX"},
		{"nothing", ``, 0, "INBOX"},
		{"discard", `discard;`, 0, ""},
		{"into a mailbox", `require "fileinto"; fileinto "Archive";`, 0, "Archive"},
		{"into one that is not there", `require "fileinto"; fileinto "Club";`, 0, "INBOX"},
		{"into one that is made", `require ["fileinto", "mailbox"]; fileinto :create "Clubs/Chess";`, 0, "Clubs/Chess"},
		{"into one that cannot be", `require ["fileinto", "mailbox"]; fileinto :create "a//b";`, 0, "INBOX"},
		{"into several, with flags", `require ["fileinto", "imap4flags", "copy"]; fileinto :copy :flags ["\\Seen", "$Club"] "Archive"; addflag "\\Flagged";`, 0,
			`INBOX \Flagged, Archive \Seen $Club`},
		{"by use", `require ["fileinto", "special-use"]; fileinto :specialuse "\\Trash" "Nowhere";`, 0, "Trash"},
		{"by the detail of the address", `require ["fileinto", "subaddress", "variables", "mailbox", "envelope"];
			if envelope :detail :matches "to" "*" { fileinto :create "Lists/${1}"; }`, 0, "Lists/chess"},
		{"by what was put before it", `require "fileinto"; if header :contains "Received" "client.elsewhere.example" { fileinto "Archive"; }`, 0, "Archive"},
		{"by what mailboxes there are", `require ["mailbox", "special-use", "fileinto"];
			if allof (mailboxexists "Archive", not mailboxexists "Nowhere", specialuse_exists "\\Junk", not specialuse_exists "Archive" "\\Junk", not specialuse_exists "\\Flagged") { fileinto "Archive"; }`, 0, "Archive"},
		{"rejected and wrong", `require "reject"; keep; reject "no";`, 0, "INBOX"},

		{"junk", `if false { keep; }`, 1, "Junk"},
		{"junk, flagged", `require "imap4flags"; addflag "\\Seen";`, 1, `Junk \Seen`},
		{"junk that is filed", `require "fileinto"; fileinto "Archive";`, 1, "Archive"},
		{"junk that is kept", `keep;`, 1, "INBOX"},
		{"junk that is discarded", `if exists "X-Spam-Status" { discard; }`, 1, ""},
		{"junk and a wrong script", `redirect "a@x.example"; redirect "b@x.example"; redirect "c@x.example"; redirect "d@x.example"; redirect "e@x.example"; redirect "f@x.example";`, 1, "Junk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			h.Mail.Junk = func(context.Context, string, []byte, []byte) (float64, error) { return c.junk, nil }
			h.use(c.script)
			check(t, h.accept("carol@elsewhere.example", letter, "alice+chess@example.org"))
			if got := h.boxes("alice"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := h.queued(); len(got) > 0 {
				t.Errorf("queued: %q", got)
			}
		})
	}
}

// TestMade makes sure that programs show a mailbox that a script has made.
func TestMade(t *testing.T) {
	h := open(t)
	h.use(`require ["fileinto", "mailbox"]; fileinto :create "Clubs/Chess";`)
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
	s, err := h.Mail.Boxes.Box("alice").Snapshot(t.Context())
	check(t, err)
	info, err := s.Info("Clubs/Chess")
	if err != nil || !info.Subscribed {
		t.Errorf("got %+v, %v, want it subscribed", info, err)
	}
}

func TestRedirect(t *testing.T) {
	h := open(t)
	h.use(`require "copy"; redirect :copy "alice@gone.example"; redirect "bob@example.org";`)
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
	if got := h.boxes("alice") + "|" + h.boxes("bob"); got != "|INBOX" {
		t.Errorf("got %s, want it in bob's inbox alone", got)
	}
	got := h.queued()
	if len(got) != 1 || !strings.HasPrefix(got[0], "SRS0=") || !strings.HasSuffix(got[0], "@example.org > alice@gone.example") {
		t.Errorf("queued: %q", got)
	}
	// A circle ends, and nothing is lost in it.
	h = open(t)
	h.use(`redirect "bob@example.org";`)
	check(t, h.Put(t.Context(), h.user("bob"), "rules", []byte(`redirect "alice@example.org";`)))
	check(t, h.Activate(t.Context(), h.user("bob"), "rules"))
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
	if got := h.boxes("alice") + "|" + h.boxes("bob"); got != "|INBOX" {
		t.Errorf("a circle: got %s", got)
	}
}

func TestReject(t *testing.T) {
	h := open(t)
	h.use("require \"reject\"; reject text:\nNot\nwanted.\n.\n;")
	err := h.accept("carol@elsewhere.example", letter, "alice@example.org")
	var refusal *mail.Refusal
	if !errors.As(err, &refusal) || refusal.Code != 550 || refusal.Text != "Not wanted." {
		t.Errorf("got %v, want 550 Not wanted.", err)
	}
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org", "bob@example.org"))
	if got := h.boxes("alice") + "|" + h.boxes("bob"); got != "|INBOX" {
		t.Errorf("got %s, want it in bob's inbox alone", got)
	}
	if got := h.queued(); len(got) != 0 {
		t.Errorf("somebody who may not have sent it is told: %q", got)
	}
	h.Mail.Checker = &auth.Checker{Resolver: genuine{}, ID: "mail.example.org", Now: h.Mail.Now}
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org", "bob@example.org"))
	if got := fmt.Sprint(h.queued()); got != "[ > carol@elsewhere.example]" {
		t.Errorf("queued: got %s, want a report to the sender", got)
	}
}

func TestReason(t *testing.T) {
	for _, c := range []struct {
		words string
		utf8  bool
		want  string
	}{
		{"No.\r\nNo!\r\n", false, "No. No!"},
		{"Für dich nicht", false, "Fur dich nicht"},
		{"Für dich nicht", true, "Für dich nicht"},
		{"いいえ。", false, "the recipient does not want this message"},
	} {
		if got := reason(c.words, c.utf8); got != c.want {
			t.Errorf("%q: got %q, want %q", c.words, got, c.want)
		}
	}
}

// genuine is a DNS in which mail of elsewhere.example may come from everywhere, and nothing else is known.
type genuine struct{}

var errNothing = &net.DNSError{Err: "no such host", IsNotFound: true}

func (genuine) LookupTXT(_ context.Context, name string) ([]string, error) {
	if name == "elsewhere.example." {
		return []string{"v=spf1 +all"}, nil
	}
	return nil, errNothing
}
func (genuine) LookupMX(context.Context, string) ([]*net.MX, error)  { return nil, errNothing }
func (genuine) LookupAddr(context.Context, string) ([]string, error) { return nil, errNothing }
func (genuine) LookupCNAME(context.Context, string) (string, error)  { return "", errNothing }
func (genuine) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errNothing
}

func TestVacation(t *testing.T) {
	h := open(t)
	h.use(`require "vacation"; vacation :days 3 :subject "Away" "I am away until Monday.";`)
	answers := func(what string, want int) {
		t.Helper()
		if got := h.queued(); len(got) != want {
			t.Fatalf("%s: queued %q, want %d", what, got, want)
		}
	}
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
	answers("the first", 1)
	if got := h.queued()[0]; got != " > carol@elsewhere.example" {
		t.Errorf("got %q", got)
	}
	check(t, h.accept("Carol@Elsewhere.example", letter, "alice@example.org"))
	answers("the second", 1)
	h.now = h.now.Add(3*24*time.Hour + time.Second)
	check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
	answers("after three days", 2)
	if got := h.file(answeredFile); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "2026-11-17T08:00:01Z ") || strings.Contains(got, "carol") {
		t.Errorf("remembered: %q", got)
	}
	if got := h.boxes("alice"); got != "INBOX++" {
		t.Errorf("got %s, want all kept", got)
	}
	check(t, h.accept("", letter, "alice@example.org"))
	check(t, h.accept("dave@elsewhere.example", "List-Id: <x.example>\n"+letter, "alice@example.org"))
	check(t, h.accept("dave@elsewhere.example", strings.Replace(letter, "alice@", "all@", 1), "alice@example.org"))
	h.Mail.Junk = func(context.Context, string, []byte, []byte) (float64, error) { return 1, nil }
	check(t, h.accept("dave@elsewhere.example", letter, "alice@example.org"))
	h.Mail.Junk = nil
	answers("what is not to be answered", 2)
	check(t, h.accept("dave@elsewhere.example", strings.Replace(letter, "alice@", "lis@", 1), "lis@example.org"))
	answers("under another address", 3)

	// Among neighbours: two who are both away do not answer each other for ever.
	check(t, h.Put(t.Context(), h.user("bob"), "rules", []byte(`require "vacation"; vacation :mime "Content-Type: text/html

<b>gone</b>";`)))
	check(t, h.Activate(t.Context(), h.user("bob"), "rules"))
	check(t, h.Mail.Send(t.Context(), "bob@example.org", []string{"alice@example.org"}, []byte("From: bob@example.org\r\nTo: alice@example.org\r\n\r\nhello\r\n")))
	if got := h.boxes("bob"); got != "INBOX" {
		t.Errorf("bob has %q, want one answer", got)
	}
	answer := h.last("bob", "INBOX")
	for _, want := range []string{"From: Alice <alice@example.org>\r\n", "To: bob@example.org\r\n", "Subject: Away\r\n", "Auto-Submitted: auto-replied (vacation)\r\n", "I am away until Monday."} {
		if !strings.Contains(answer, want) {
			t.Errorf("%q is not in\n%s", want, answer)
		}
	}
	answers("among neighbours", 3)
}

// TestVacationInAnothersName makes sure that nobody answers as somebody else.
func TestVacationInAnothersName(t *testing.T) {
	h := open(t)
	for from, want := range map[string]string{"bob@example.org": "Alice <alice@example.org>", "Lis <lis@example.org>": "Lis <lis@example.org>"} {
		h.use(`require "vacation"; vacation :from "` + from + `" "away";`)
		check(t, h.Mail.Send(t.Context(), "bob@example.org", []string{"alice@example.org"}, []byte("From: bob@example.org\r\nTo: alice@example.org\r\n\r\nhello\r\n")))
		if got := h.last("bob", "INBOX"); !strings.Contains(got, "From: "+want+"\r\n") {
			t.Errorf("from %s: got\n%s", from, got)
		}
	}
}

// TestMemory makes sure that what vacation remembers stays small.
func TestMemory(t *testing.T) {
	h := open(t)
	const handle = "holidays"
	var lines strings.Builder
	for i := range maxAnswered + 10 {
		fmt.Fprintf(&lines, "%s %032d\n", h.now.Add(time.Duration(i+60)*time.Second).Format(time.RFC3339), i)
	}
	h.byHand(answeredFile, "nonsense\n2001-01-01T00:00:00Z old\n"+lines.String())
	h.use(`require "vacation"; vacation :handle "` + handle + `" "away";`)
	check(t, h.accept("Carol@Elsewhere.example", letter, "alice@example.org"))
	got := h.file(answeredFile)
	if n := strings.Count(got, "\n"); n != maxAnswered {
		t.Errorf("%d lines, want %d", n, maxAnswered)
	}
	if !strings.Contains(got, h.keyOf(handle, "carol@elsewhere.example")) || strings.Contains(got, "old") || strings.Contains(got, "nonsense") {
		t.Errorf("got …%s", got[max(0, len(got)-200):])
	}
}

// TestPretence makes sure that a script does not believe what a stranger says in our name.
func TestPretence(t *testing.T) {
	h := open(t)
	h.Mail.Checker = &auth.Checker{Resolver: genuine{}, ID: "mail.example.org", Now: h.Mail.Now}
	h.use(`require "fileinto"; if header :contains "Authentication-Results" "dkim=pass" { fileinto "Archive"; }`)
	check(t, h.accept("carol@elsewhere.example", "Authentication-Results: mail.example.org; dkim=pass\n"+letter, "alice@example.org"))
	if got := h.boxes("alice"); got != "INBOX" {
		t.Errorf("got %s, want INBOX", got)
	}
	check(t, h.accept("carol@elsewhere.example", "Authentication-Results: other.example; dkim=pass\n"+letter, "alice@example.org"))
	if got := h.boxes("alice"); got != "INBOX, Archive" {
		t.Errorf("got %s, want one in Archive", got)
	}
}

// TestByHand makes sure that what lies on the branch by mistake loses no mail.
func TestByHand(t *testing.T) {
	h := open(t)
	for i, active := range []string{"broken", "absent", "../../accounts/users/alice", "", "\x00"} {
		h.byHand("sieve/broken.sieve", "keep it")
		h.byHand(activeFile, active+"\n")
		check(t, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
		if got, want := h.boxes("alice"), "INBOX"+strings.Repeat("+", i); got != want {
			t.Errorf("%q: got %s, want %s", active, got, want)
		}
	}
}

// BenchmarkFilter measures what a delivery costs more: without a script, and with one.
func BenchmarkFilter(b *testing.B) {
	for _, script := range []string{"", `require ["fileinto", "variables", "imap4flags"];
` + strings.Repeat(`if header :contains ["List-Id", "X-Mailing-List"] "nothing.example.org" { fileinto "Archive"; stop; }
if address :domain "from" "shop.example" { addflag "\\Seen"; }
`, 20)} {
		b.Run(fmt.Sprintf("%d bytes", len(script)), func(b *testing.B) {
			h := open(b)
			check(b, h.accept("carol@elsewhere.example", letter, "alice@example.org"))
			if script != "" {
				h.use(script)
			}
			d := &mail.Delivery{Target: mail.Target{User: "alice", Address: "alice@example.org"}, In: &mail.Incoming{}, Raw: []byte(letter)}
			for b.Loop() {
				if _, err := h.Filter(b.Context(), d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
