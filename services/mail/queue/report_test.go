package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"cairn/services/mail/message"
)

// TestReports: who hears of what (RFC 3461 §4.1, §6).
func TestReports(t *testing.T) {
	for _, test := range []struct {
		name   string
		notify Notify
		to     string
		dsn    bool // the server knows RFC 3461
		from   string
		want   string // the action in the report; "" for none
	}{
		{"failure", 0, "nobody@example.test", false, "alice@home.test", "failed"},
		{"failure asked for", Failure, "nobody@example.test", false, "alice@home.test", "failed"},
		{"failure not asked for", Success | Delay, "nobody@example.test", false, "alice@home.test", ""},
		{"never", Never, "nobody@example.test", false, "alice@home.test", ""},
		{"of a report", 0, "nobody@example.test", false, "", ""},
		{"success", 0, "bob@example.test", false, "alice@home.test", ""},
		{"success asked for", Success, "bob@example.test", false, "alice@home.test", "relayed"},
		{"success asked for of a server that reports", Success, "bob@example.test", true, "alice@home.test", ""},
		{"success here", Success, "carol@home.test", true, "alice@home.test", "delivered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				b.dsn = test.dsn
				b.onRcpt = func(to string) error {
					if strings.HasPrefix(to, "nobody@") {
						return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such\x1b[2J user"}
					}
					return nil
				}
				w.serve(t, "example.test", "192.0.2.1", b)
				h.start()
				m := letter(test.to)
				m.From, m.EnvID = test.from, "QQ+314=1"
				m.To[0].Notify, m.To[0].Original = test.notify, "rfc822;orig+1=x@example.com"
				h.put(m)
				h.empty5(time.Hour)
				var reports []mailed
				for _, m := range h.mail() {
					if m.From == "" {
						reports = append(reports, m)
					}
				}
				if test.want == "" {
					if len(reports) != 0 {
						t.Fatalf("got %+v, want no report", reports)
					}
				} else {
					checkReport(t, reports, test.want, test.to)
				}
				if test.dsn && test.to == "bob@example.test" {
					got := b.all()[0]
					if r := got.Rcpt[0]; got.Options.EnvelopeID != "QQ+314=1" || got.Options.Return != "HDRS" || len(r.Notify) != 1 || r.OriginalRecipient != "orig+1=x@example.com" {
						t.Errorf("got the parameters %+v, %+v", got.Options, r)
					}
				}
			})
		})
	}
}

// checkReport reads a report as a program does.
func checkReport(t *testing.T, reports []mailed, action, to string) {
	t.Helper()
	if len(reports) != 1 {
		t.Fatalf("got %d reports, want 1", len(reports))
	}
	raw := []byte(reports[0].Data)
	if f := message.Inspect(raw); f.BareCR || f.BareLF || f.NUL || f.EightBit || f.MaxLine > 998 || strings.Contains(string(raw), "\x1b") {
		t.Errorf("not for the wire: %+v", f)
	}
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	if kind, params := message.Params(h.Get("Content-Type")); kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Errorf("got the type %q", h.Get("Content-Type"))
	}
	if h.Get("Auto-Submitted") != "auto-replied" || h.Get("In-Reply-To") != "<1@home.test>" || h.MessageID() == "" || h.Get("To") != "<alice@home.test>" {
		t.Errorf("got the header\n%s", head)
	}
	var kinds []string
	for p := range message.Parts(raw) {
		kinds = append(kinds, p.Type)
		switch p.Type {
		case "text/plain":
			if words := p.Text(1 << 20); !strings.Contains(words, to) || !strings.Contains(words, "lunch") {
				t.Errorf("got the words %q", words)
			}
		case "message/delivery-status":
			for _, want := range []string{"Original-Envelope-Id: QQ+314=1", "Reporting-MTA: dns; mail.home.test", "Original-Recipient: rfc822; orig+1=x@example.com", "Final-Recipient: rfc822; " + to, "Action: " + action} {
				if !strings.Contains(string(p.Body), want+"\r\n") {
					t.Errorf("lacks %q:\n%s", want, p.Body)
				}
			}
		case "text/rfc822-headers":
			if !strings.Contains(string(p.Body), "Message-ID: <1@home.test>") || strings.Contains(string(p.Body), "At noon") {
				t.Errorf("got the header %q", p.Body)
			}
		}
	}
	if got := strings.Join(kinds, " "); got != "multipart/report text/plain message/delivery-status text/rfc822-headers" {
		t.Errorf("got the parts %s", got)
	}
}

// TestReportsAbroad: a sender elsewhere gets his report by mail, and one who cannot be reached does not
// make it go round.
func TestReportsAbroad(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		b.onRcpt = func(to string) error {
			if strings.HasPrefix(to, "nobody@") {
				return &smtp.SMTPError{Code: 550, Message: "no such user"}
			}
			return nil
		}
		w.serve(t, "example.test", "192.0.2.1", b)
		h.start()
		for _, from := range []string{"bob@example.test", "nobody@example.test"} {
			m := letter("nobody@example.test")
			m.From, m.Full = from, true
			h.put(m)
			h.empty5(time.Hour)
		}
		got := b.all()
		if len(got) != 1 || got[0].From != "" || got[0].To[0] != "bob@example.test" || !strings.Contains(got[0].Data, "At noon.") || len(h.mail()) != 0 {
			t.Errorf("got %+v and %+v", got, h.mail())
		}
	})
}
