package queue

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// TestFiveDays: a server that says "later" for ever is asked less and less often, the sender hears of it
// after four hours, and after five days that it was in vain. Nothing remains.
func TestFiveDays(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		var asked []time.Duration
		start := time.Now()
		b.onRcpt = func(to string) error {
			if strings.HasPrefix(to, "bob@") {
				asked = append(asked, time.Since(start))
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, come back later"}
			}
			return nil
		}
		h.start()
		h.put(letter("bob@example.test", "carol@example.test"))
		h.empty5(6 * 24 * time.Hour)

		if n := len(b.all()); n != 1 || b.all()[0].To[0] != "carol@example.test" {
			t.Errorf("got %d messages, want one for carol", n)
		}
		if n := len(asked); n < 30 || n > 50 || asked[0] > time.Minute {
			t.Errorf("asked %d times, first after %v", n, asked[0])
		}
		for i := 1; i < len(asked); i++ {
			soon := asked[i] != warnAge && asked[i] != maxAge // which come when they come
			if d := asked[i] - asked[i-1]; d < time.Minute && soon || d > 5*time.Hour {
				t.Errorf("attempt %d came %v after the one before", i, d)
			}
		}
		if last := asked[len(asked)-1]; last < maxAge || last > maxAge+time.Minute {
			t.Errorf("the last attempt was after %v, want five days", last)
		}
		mail := h.mail()
		if len(mail) != 2 {
			t.Fatalf("got %d reports, want 2", len(mail))
		}
		for i, want := range []struct {
			after time.Duration
			lines []string
		}{
			{warnAge, []string{"Subject: Your message has not been delivered yet\r\n", "Action: delayed\r\n", "Status: 4.7.1\r\n", "Will-Retry-Until: Thu, 6 Jan 2000 00:00:00 +0000\r\n"}},
			{maxAge, []string{"Subject: Your message could not be delivered\r\n", "Action: failed\r\n", "Status: 4.4.7\r\n", "Diagnostic-Code: smtp; 451 4.7.1 greylisted, come back later\r\n"}},
		} {
			m := mail[i]
			if d := m.At.Sub(start); d < want.after || d > want.after+2*time.Minute || m.From != "" || m.To[0] != "alice@home.test" {
				t.Errorf("report %d: after %v from %q to %q", i, d, m.From, m.To)
			}
			for _, line := range append(want.lines, "Final-Recipient: rfc822; bob@example.test\r\n", "lunch") {
				if !strings.Contains(m.Data, line) {
					t.Errorf("report %d lacks %q:\n%s", i, line, m.Data)
				}
			}
			if strings.Contains(m.Data, "carol@") {
				t.Errorf("report %d is about carol, too:\n%s", i, m.Data)
			}
		}
	})
}

// empty5 is empty within a time.
func (h *house) empty5(within time.Duration) {
	h.t.Helper()
	for end := time.Now().Add(within); len(h.list()) > 0; time.Sleep(time.Minute) {
		if time.Now().After(end) {
			h.t.Fatalf("%v later there is still %+v", within, h.list())
		}
	}
}

// TestAway: hosts that are not there for a day get everything when they come back, and whoever waits
// for the same host does not try by himself.
func TestAway(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		s := w.serve(t, "example.test", "192.0.2.1", b)
		s.Close()
		for range 300 {
			h.put(letter("bob@example.test"))
		}
		h.start()
		time.Sleep(24 * time.Hour)
		if n := len(w.dialled()); n > 40 {
			t.Errorf("dialled %d times", n)
		}
		for _, i := range h.list() {
			if i.Attempts == 0 || !strings.Contains(i.To[0].Answer, "mx.example.test: ") {
				t.Fatalf("got %+v", i)
			}
		}
		w.listen(t, "192.0.2.1:25", b)
		h.empty5(5 * time.Hour)
		if n := len(b.all()); n != 300 {
			t.Errorf("got %d messages, want 300", n)
		}
	})
}

// TestNamesAway: while the DNS does not answer, mail waits.
func TestNamesAway(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		w.dnsError = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
		h.start()
		h.put(letter("bob@example.test"))
		time.Sleep(time.Hour)
		if all := h.list(); len(all) != 1 || !strings.Contains(all[0].To[0].Answer, "the DNS did not say") {
			t.Fatalf("got %+v", all)
		}
		w.mu.Lock()
		w.dnsError = nil
		w.mu.Unlock()
		h.empty5(2 * time.Hour)
		if len(b.all()) != 1 || len(h.mail()) != 0 {
			t.Errorf("got %d messages and %d reports, want 1 and 0", len(b.all()), len(h.mail()))
		}
	})
}

// TestDeliveryHere: what belongs to ourselves is not sent but delivered, is tried again when that does
// not work, and fails when it never will.
func TestDeliveryHere(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		answers := []error{errors.New("the disk is full"), &smtp.SMTPError{Code: 451, Message: "later"}, nil}
		deliver := h.o.Deliver
		h.o.Deliver = func(ctx context.Context, from string, to []string, raw []byte) error {
			if from != "" && len(answers) > 0 {
				err := answers[0]
				answers = answers[1:]
				if err != nil {
					return err
				}
			}
			return deliver(ctx, from, to, raw)
		}
		h.open()
		h.start()
		h.put(letter("carol@home.test"))
		h.empty5(time.Hour)
		if m := h.mail(); len(m) != 1 || m[0].From != "alice@home.test" || m[0].To[0] != "carol@home.test" || m[0].Data != text {
			t.Errorf("got %+v", m)
		}
		answers = []error{&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody here has this address"}}
		h.put(letter("dave@home.test"))
		h.empty5(time.Hour)
		m := h.mail()
		if len(m) != 2 || !strings.Contains(m[1].Data, "Status: 5.1.1\r\n") || !strings.Contains(m[1].Data, "nobody here has this address") {
			t.Errorf("got %+v", m)
		}
		if d := w.dialled(); len(d) > 0 {
			t.Errorf("dialled %v", d)
		}
	})
}
