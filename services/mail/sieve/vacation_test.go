package sieve

import (
	"strings"
	"testing"

	"cairn/services/mail/message"
)

// TestSilence holds the rules of RFC 5230 §4.5, §4.6 and RFC 3834 §2 against messages.
func TestSilence(t *testing.T) {
	const plain = "From: bob@elsewhere.example\r\nTo: alice@example.org\r\n"
	for _, c := range []struct {
		name, header, from string
		answered           bool
	}{
		{"plain", plain, "bob@elsewhere.example", true},
		{"to another of hers", "To: Lis <LIS@example.org>\r\n", "bob@elsewhere.example", true},
		{"to one of the script", "Cc: old@gone.example\r\n", "bob@elsewhere.example", true},
		{"resent", "To: carol@example.org\r\nResent-To: alice@example.org\r\n", "bob@elsewhere.example", true},
		{"not to her", "To: carol@example.org\r\n", "bob@elsewhere.example", false},
		{"no sender", plain, "", false},
		{"a sender that is none", plain, "bob", false},
		{"herself", plain, "alice@example.org", false},
		{"another of hers", plain, "old@gone.example", false},
		{"a mail server", plain, "MAILER-DAEMON@elsewhere.example", false},
		{"a list's owner", plain, "owner-club@elsewhere.example", false},
		{"a list's robot", plain, "club-request@elsewhere.example", false},
		{"a list server", plain, "listserv@elsewhere.example", false},
		{"bounces of a list", plain, "club-bounces+alice=example.org@elsewhere.example", false},
		{"nobody reads it", plain, "no-reply@elsewhere.example", false},
		{"forwarded with SRS", plain, "SRS0=abc=xy=elsewhere.example=bob@relay.example", true},
		{"automatic", plain + "Auto-Submitted: auto-generated\r\n", "bob@elsewhere.example", false},
		{"automatic, with a comment", plain + "Auto-Submitted: auto-replied (vacation)\r\n", "bob@elsewhere.example", false},
		{"not automatic", plain + "Auto-Submitted: no\r\n", "bob@elsewhere.example", true},
		{"a list", plain + "List-Id: <club.elsewhere.example>\r\n", "bob@elsewhere.example", false},
		{"a list to leave", plain + "List-Unsubscribe: <mailto:leave@elsewhere.example>\r\n", "bob@elsewhere.example", false},
		{"bulk", plain + "Precedence: Bulk\r\n", "bob@elsewhere.example", false},
		{"asked for silence", plain + "X-Auto-Response-Suppress: DR, OOF\r\n", "bob@elsewhere.example", false},
		{"asked for other silence", plain + "X-Auto-Response-Suppress: DR\r\n", "bob@elsewhere.example", true},
		{"to hundreds", "To: " + strings.Repeat("x@elsewhere.example, ", 300) + "alice@example.org\r\n", "bob@elsewhere.example", false},
	} {
		v := &Vacation{Addresses: []string{"Alice <old@gone.example>"}}
		own := func(a string) bool {
			return strings.EqualFold(a, "alice@example.org") || strings.EqualFold(a, "lis@example.org")
		}
		why := v.Silence([]byte(c.header+"\r\nhello\r\n"), c.from, own)
		if (why == "") != c.answered {
			t.Errorf("%s: got %q, want answered: %v", c.name, why, c.answered)
		}
	}
}

func TestCompose(t *testing.T) {
	raw := "From: bob@elsewhere.example\r\nTo: alice@example.org\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n" +
		"Message-ID: <2@elsewhere.example>\r\nReferences: <0@x.example> <1@x.example>\r\n\r\nhello\r\n"
	stamp := Stamp{From: message.Address{Name: "Alice", Local: "alice", Domain: "example.org"}, To: "bob@elsewhere.example", Host: "mail.example.org", Now: now, ID: []byte("sixteen bytes or more")}
	fields := func(v *Vacation) (message.Header, string) {
		t.Helper()
		head, body := message.Split(v.Compose([]byte(raw), stamp))
		h := message.ParseHeader(head)
		for name, want := range map[string]string{
			"To": "bob@elsewhere.example", "Auto-Submitted": "auto-replied (vacation)", "MIME-Version": "1.0",
			"In-Reply-To": "<2@elsewhere.example>", "References": "<0@x.example> <1@x.example> <2@elsewhere.example>",
			"Date": "Wed, 11 Nov 2026 08:09:10 +0000",
		} {
			if got := h.All(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		return h, string(body)
	}
	h, body := fields(&Vacation{Reason: "I am away.\r\n"})
	if got, want := h.Text("Subject")+"|"+h.Get("From")+"|"+body, "Auto: café|Alice <alice@example.org>|I am away.\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h, _ = fields(&Vacation{Reason: "x", Subject: "Gone\r\nBcc: all@example.org", From: "Lis <lis@example.org>"})
	if h.Has("Bcc") || h.Get("From") != "Lis <lis@example.org>" || !strings.HasPrefix(h.Text("Subject"), "Gone") {
		t.Errorf("got %s", h.Raw())
	}
	h, body = fields(&Vacation{MIME: true, Reason: "Content-Type: text/html\nBcc: all@example.org\n\n<b>away</b>\n"})
	if h.Get("Content-Type") != "text/html" || h.Has("Bcc") || body != "<b>away</b>\r\n" {
		t.Errorf("got %s%s", h.Raw(), body)
	}
}

// TestCost makes sure that scripts that would take long end with an error, and soon.
func TestCost(t *testing.T) {
	long := "Subject: " + strings.Repeat("a", 500_000) + "\r\n\r\n" + strings.Repeat("a", 4<<20)
	for _, script := range []string{
		`require "body"; if body :raw :matches "` + strings.Repeat("*a", 30000) + `b" { discard; }`,
		`require "body"; if body :raw :matches "*` + strings.Repeat("a", 60000) + `b" { discard; }`,
		`if anyof (` + strings.Repeat(`header :contains "subject" "ab",`, 1700) + `false) { discard; }`,
		`require "variables"; set "a" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; ` + strings.Repeat(`set "a" "${a}${a}${a}${a}";`, 2000),
	} {
		got := runOn(t, script, long) // in a second or so each; what it costs is counted, not timed
		if !strings.Contains(got, "it takes too long") && got != "implicit" {
			t.Errorf("%.60s: got %.200s", script, got)
		}
	}
}
