package dsn

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/message"
)

const text = "From: alice@home.test\r\nSubject: =?utf-8?q?s=C3=BC=C3=9F?=\r\nMessage-ID: <1@home.test>\r\n\r\nAt noon.\r\n"

var (
	arrived = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now     = arrived.Add(4 * time.Hour)
)

// parts returns the parts of a report by type, and its header.
func parts(t *testing.T, raw []byte) (map[string]*message.Part, message.Header) {
	t.Helper()
	all := map[string]*message.Part{}
	for p := range message.Parts(raw) {
		all[p.Type] = &p
	}
	head, _ := message.Split(raw)
	return all, message.ParseHeader(head)
}

// TestEncode: what people read and what programs read.
func TestEncode(t *testing.T) {
	raw := Report{
		Host: "mail.home.test", Sender: "alice@home.test", EnvID: "e1", Arrived: arrived, Message: []byte(text),
		About: []Recipient{
			{Original: "rfc822;orig@x.test", Final: "bob@x.test", Action: Failed, Status: "5.1.1", Words: "mx said: no", Remote: "mx", Reply: "550 5.1.1 no"},
			{Final: "süß@x.test", Action: Delayed, Status: "4.4.1", Words: "mx: away", Until: arrived.Add(5 * 24 * time.Hour)},
			{Final: "carol@x.test", Action: Relayed, Status: "2.0.0", Words: "mx said: ok", Remote: "mx", Reply: "250 ok"},
			{Final: "dave@home.test", Action: Delivered, Status: "2.1.5"},
		},
	}.Encode(now, make([]byte, 16))
	all, h := parts(t, raw)
	if h.Text("Subject") != "Your message could not be delivered" || h.Get("To") != "<alice@home.test>" || h.Get("In-Reply-To") != "<1@home.test>" {
		t.Errorf("got the header %q", raw[:500])
	}
	words := all["text/plain"].Text(1 << 20)
	for _, want := range []string{
		"could not be delivered to:\n\n    bob@x.test\n    mx said: no\n", "It waits for:\n\n    süß@x.test\n    mx: away\n", "passed on to a server that does not report what becomes of it, for:\n\n    carol@x.test\n",
		"was delivered to:\n\n    dave@home.test\n", "on 2 January 2026 at 03:04 UTC. Its subject was:\n\n    süß\n",
	} {
		if !strings.Contains(strings.ReplaceAll(words, "\r\n", "\n"), want) {
			t.Errorf("the words lack %q:\n%s", want, words)
		}
	}
	want := strings.ReplaceAll(`Original-Envelope-Id: e1
Reporting-MTA: dns; mail.home.test
Arrival-Date: Fri, 2 Jan 2026 03:04:05 +0000

Original-Recipient: rfc822; orig@x.test
Final-Recipient: rfc822; bob@x.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx
Diagnostic-Code: smtp; 550 5.1.1 no
Last-Attempt-Date: Fri, 2 Jan 2026 07:04:05 +0000

Final-Recipient: utf-8; s\x{FC}\x{DF}@x.test
Action: delayed
Status: 4.4.1
Last-Attempt-Date: Fri, 2 Jan 2026 07:04:05 +0000
Will-Retry-Until: Wed, 7 Jan 2026 03:04:05 +0000

Final-Recipient: rfc822; carol@x.test
Action: relayed
Status: 2.0.0
Remote-MTA: dns; mx
Diagnostic-Code: smtp; 250 ok
Last-Attempt-Date: Fri, 2 Jan 2026 07:04:05 +0000

Final-Recipient: rfc822; dave@home.test
Action: delivered
Status: 2.1.5
Last-Attempt-Date: Fri, 2 Jan 2026 07:04:05 +0000
`, "\n", "\r\n")
	if got := string(all["message/delivery-status"].Body); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestReturned: what goes back of the message, and in which form.
func TestReturned(t *testing.T) {
	for name, test := range map[string]struct {
		raw        string
		full       bool
		kind, body string
	}{
		"the header": {text, false, "text/rfc822-headers", text[:strings.Index(text, "At noon")]}, "all": {text, true, "message/rfc822", text},
		"too much": {text + strings.Repeat("x\r\n", maxReturned), true, "text/rfc822-headers", text[:strings.Index(text, "At noon")]},
		"no lines": {"Subject: x\n\ny\x00", true, "application/octet-stream", "Subject: x\n\ny\x00"},
		"8-bit":    {"Subject: x\r\n\r\nsüß\r\n", true, "message/rfc822", "Subject: x\r\n\r\nsüß\r\n"},
	} {
		raw := Report{Host: "mail.home.test", Sender: "alice@home.test", Arrived: arrived, Message: []byte(test.raw), Full: test.full, About: []Recipient{{Final: "bob@x.test", Action: Failed, Status: "5.0.0"}}}.Encode(now, make([]byte, 16))
		all, _ := parts(t, raw)
		p, ok := all[test.kind]
		if got := p.Decoded(1 << 20); !ok || !bytes.Equal(bytes.TrimSuffix(got, []byte("\r\n")), []byte(strings.TrimSuffix(test.body, "\r\n"))) {
			t.Errorf("%s: got %v, %q, want %s, %q", name, ok, got, test.kind, test.body)
		}
		if f := message.Inspect(raw); f.BareCR || f.BareLF || f.NUL || f.MaxLine > 998 {
			t.Errorf("%s: not for the wire: %+v", name, f)
		}
	}
}

// FuzzReport: whatever was sent, to whom, and whatever a server says, the report can go over the wire
// and has no header but its own.
func FuzzReport(f *testing.F) {
	f.Add("bob@example.test", "rfc822;bob@example.com", "550 no", "550 5.1.1 no\r\nBcc: x", text, true)
	f.Add("süß@example.test", "utf-8;süß@x", "", "\x00\n.\n", "Subject: \xff\n\nx", false)
	f.Fuzz(func(t *testing.T, to, original, words, reply, raw string, full bool) {
		report := Report{
			Host: "mail.home.test", Sender: "alice@home.test", EnvID: "x", Arrived: time.Unix(0, 0), Message: []byte(raw), Full: full,
			About: []Recipient{{Original: original, Final: to, Action: Failed, Status: "5.0.0", Words: words, Reply: reply, Remote: "mx"}},
		}.Encode(time.Unix(1e9, 0), make([]byte, 16))
		facts := message.Inspect(report)
		if facts.BareCR || facts.BareLF || facts.NUL || facts.MaxLine > 998 {
			t.Fatalf("not for the wire: %+v\n%q", facts, report)
		}
		head, _ := message.Split(report)
		n := 0
		for range message.ParseHeader(head).Fields() {
			n++
		}
		if n > 9 {
			t.Fatalf("%d fields:\n%q", n, head)
		}
	})
}
