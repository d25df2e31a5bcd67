package smtp

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"
)

func TestSTARTTLS(t *testing.T) {
	h := open(t)
	c := dial(t, h.listen(Relay))
	c.want("220")
	c.do("EHLO client.elsewhere.example", "250")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("STARTTLS now", "501 5.5.4")
	c.startTLS(h)
	c.do("RCPT TO:<alice@example.org>", "503 5.5.1") // all that was said before is forgotten
	c.do("MAIL FROM:<bob@elsewhere.example>", "503 5.5.1")
	if got := c.do("EHLO client.elsewhere.example", "250"); strings.Contains(got, "STARTTLS") || !strings.Contains(got, "REQUIRETLS") {
		t.Errorf("got %q, want REQUIRETLS and no STARTTLS", got)
	}
	c.do("STARTTLS", "503 5.5.1")
	c.do("MAIL FROM:<bob@elsewhere.example> REQUIRETLS", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.do("DATA", "354")
	c.send(letter + ".\r\n")
	c.want("250")
	if got := h.got("alice", "INBOX"); len(got) != 1 || !strings.Contains(got[0], "with ESMTPS (TLS 1.3, TLS_") {
		t.Errorf("got %q, want one message that says ESMTPS", got)
	}
}

// TestInjection sends commands in the clear along with STARTTLS: they must not count as said under TLS.
func TestInjection(t *testing.T) {
	h := open(t)
	c := dial(t, h.listen(Submission))
	c.want("220")
	c.do("EHLO laptop", "250")
	c.send("STARTTLS\r\nEHLO mallory\r\n")
	c.want("501 5.5.1")
	c.gone()
}

func TestNoTLS(t *testing.T) {
	h := open(t)
	h.server.TLS = nil
	c := dial(t, h.listen(Relay))
	c.want("220")
	if got := c.do("EHLO client.elsewhere.example", "250"); strings.Contains(got, "STARTTLS") {
		t.Errorf("got %q, want no STARTTLS", got)
	}
	c.do("STARTTLS", "502 5.5.1")
}

// TestTruncated ends the connection inside of a message, in the ways in which that can be done.
func TestTruncated(t *testing.T) {
	for _, tail := range []string{"DATA\r\nSubject: half\r\n", "DATA\r\nSubject: half\r\n\r\n.\r", "BDAT 1000 LAST\r\nSubject: half\r\n", "BDAT 5\r\nA: b\r\nBDAT 10 LAST\r\n"} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q TLS=%v", tail, secure), func(t *testing.T) {
				h := open(t)
				c := dial(t, h.listen(Relay))
				c.want("220")
				raw := c.conn
				if secure {
					c.do("EHLO client.elsewhere.example", "250")
					c.startTLS(h)
				}
				c.send("EHLO client.elsewhere.example\r\nMAIL FROM:<bob@elsewhere.example>\r\nRCPT TO:<alice@example.org>\r\n" + tail)
				check(t, c.conn.(interface{ CloseWrite() error }).CloseWrite())
				raw.SetReadDeadline(time.Now().Add(time.Minute))
				said, err := io.ReadAll(c.r)
				if err != nil || !strings.Contains(string(said), "421 4.4.2") || strings.Contains(string(said), "taken as") {
					t.Errorf("got %q, %v; want 421", said, err)
				}
				h.none(t)
			})
		}
	}
}

func TestImplicitTLS(t *testing.T) {
	h := open(t)
	addr := h.listen(Submissions)
	c := dial(t, addr)
	c.shake(h)
	c.want("220")
	got := c.do("EHLO laptop", "250")
	if !strings.Contains(got, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN") || strings.Contains(got, "STARTTLS") {
		t.Errorf("got %q, want AUTH and no STARTTLS", got)
	}
	plain := dial(t, addr)
	plain.send("EHLO laptop\r\n")
	if b, err := io.ReadAll(plain.r); strings.Contains(string(b), "220") {
		t.Errorf("without TLS: got %q, %v; want no greeting", b, err)
	}
}

// TestSCRAM logs in on the wire, bound to the connection and not.
func TestSCRAM(t *testing.T) {
	h := open(t)
	addr := h.listen(Submissions)
	for _, plus := range []bool{false, true} {
		for _, initial := range []bool{false, true} {
			for _, right := range []bool{true, false} {
				t.Run(fmt.Sprintf("plus=%v initial=%v right=%v", plus, initial, right), func(t *testing.T) {
					c := dial(t, addr)
					state := c.shake(h)
					c.want("220")
					c.do("EHLO laptop", "250")
					password := h.passwords["alice"]
					if !right {
						password = "wrong"
					}
					got := c.scram(state, "alice@example.org", password, plus, initial)
					if want := map[bool]string{true: "235 2.7.0", false: "535 5.7.8"}[right]; !strings.HasPrefix(got, want) {
						t.Fatalf("got %q, want %q", got, want)
					}
					c.do("MAIL FROM:<alice@example.org>", map[bool]string{true: "250", false: "530 5.7.0"}[right])
				})
			}
		}
	}
}

// scram logs in by SCRAM-SHA-256 and returns the last reply.
func (c *talk) scram(state tls.ConnectionState, user, password string, plus, initial bool) string {
	c.t.Helper()
	client, err := scram.SHA256.NewClient(user, password, "")
	check(c.t, err)
	mechanism, talk := "SCRAM-SHA-256", client.NewConversation()
	if plus {
		binding, err := scram.NewTLSExporterBinding(&state)
		check(c.t, err)
		mechanism, talk = mechanism+"-PLUS", client.NewConversationWithChannelBinding(binding)
	}
	first, err := talk.Step("")
	check(c.t, err)
	first = base64.StdEncoding.EncodeToString([]byte(first))
	if initial {
		c.send("AUTH " + mechanism + " " + first + "\r\n")
	} else {
		c.do("AUTH "+mechanism, "334")
		c.send(first + "\r\n")
	}
	for {
		got := c.reply()
		challenge, ok := strings.CutPrefix(got, "334 ")
		if !ok {
			return got
		}
		raw, err := base64.StdEncoding.DecodeString(challenge)
		check(c.t, err)
		answer, err := talk.Step(string(raw))
		check(c.t, err)
		c.send(base64.StdEncoding.EncodeToString([]byte(answer)) + "\r\n")
	}
}

// TestGuessing guesses a password until nothing is looked at any more, and then has it right.
func TestGuessing(t *testing.T) {
	h := open(t)
	h.server.Limits.Faults = 1000
	w := newExchange()
	h.serve(w, Submission)
	c := w.dial(t, "192.0.2.1")
	c.want("220")
	c.do("EHLO laptop", "250")
	c.startTLS(h)
	c.do("EHLO laptop", "250")
	wrong := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00wrong"))
	for i := 0; ; i++ {
		c.send(wrong + "\r\n")
		got := c.reply()
		if strings.HasPrefix(got, "454 4.7.0 too many attempts") {
			break
		}
		if !strings.HasPrefix(got, "535 5.7.8") || i > 100 {
			t.Fatalf("guess %d: got %q, want 535, and 454 at last", i, got)
		}
	}
	c.do("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+h.passwords["alice"])), "454 4.7.0")
}
