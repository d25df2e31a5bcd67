package smtp

import (
	"fmt"
	"strings"
	"testing"
)

// TestEndOfData sends what some servers take for the end of a message. Whatever it
// is, what follows must not become a second message, and the message must not be taken:
// the next server might see an end where we saw none.
func TestEndOfData(t *testing.T) {
	const second = "MAIL FROM:<mallory@elsewhere.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi"
	for name, end := range map[string]string{
		"LF . LF":             "\n.\n",
		"LF . CR LF":          "\n.\r\n",
		"CR LF . LF":          "\r\n.\n",
		"CR . CR":             "\r.\r",
		"CR LF . CR":          "\r\n.\r",
		"CR . CR LF":          "\r.\r\n",
		"CR . LF":             "\r.\n",
		"LF . CR":             "\n.\r",
		"CR LF CR . CR LF":    "\r\n\r.\r\n",
		"CR LF NUL . CR LF":   "\r\n\x00.\r\n",
		"CR LF . NUL CR LF":   "\r\n.\x00\r\n",
		"CR LF . CR CR LF":    "\r\n.\r\r\n",
		"LF LF . CR LF":       "\n\n.\r\n",
		"CR LF . CR NUL LF":   "\r\n.\r\x00\n",
		"CR LF . CR text":     "\r\n.\rtext",
		"CR in the middle":    "a\rb",
		"LF in the middle":    "a\nb",
		"CR LF CR LF then LF": "\r\n\r\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			c := begin(t, h)
			c.send("Subject: first\r\n\r\nhello" + end + second + "\r\n.\r\nNOOP\r\n")
			c.want("554 5.6.0")
			c.want("250 2.0.0 yes")
			h.none(t)
		})
	}
}

// TestCRLFDotCRLF makes sure that the end is seen where it is, whatever stands before it.
func TestCRLFDotCRLF(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"nothing":              {".\r\n", "250"},
		"a dot":                {"..\r\n.\r\n", "250"},
		"CR CR LF . CR LF":     {"a\r\r\n.\r\n", "554 5.6.0"},
		"LF CR LF . CR LF":     {"a\n\r\n.\r\n", "554 5.6.0"},
		"CR LF . CR LF at 4 K": {strings.Repeat("a", 4093) + "\r\n.\r\n", "250"},
		"CR LF split at 4 K":   {strings.Repeat("a", 4095) + "\r\n.\r\n", "250"},
		"CR LF after 4 K":      {strings.Repeat("a", 4096) + "\r\n.\r\n", "250"},
		"a dot at 4 K":         {strings.Repeat("a", 4096) + ".\r\n.\r\n", "250"},
		"CR alone at 4 K":      {strings.Repeat("a", 4095) + "\ra\r\n.\r\n", "554 5.6.0"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			talk := begin(t, h)
			talk.send(c.data + "NOOP\r\n")
			talk.want(c.want)
			talk.want("250 2.0.0 yes")
		})
	}
}

// TestDots makes sure that what comes out is what went in.
func TestDots(t *testing.T) {
	h := open(t)
	c := begin(t, h)
	body := ".\r\n..\r\n...\r\n.a\r\n\r\n.\r\n" + strings.Repeat(".", 5000) + "\r\n"
	c.send("Subject: dots\r\n\r\n" + strings.ReplaceAll("\r\n"+body, "\r\n.", "\r\n..")[2:] + ".\r\n")
	c.want("250")
	if got := h.got("alice", "INBOX"); len(got) != 1 || !strings.HasSuffix(got[0], "Subject: dots\r\n\r\n"+body) {
		t.Errorf("got %q, want %q at the end", got, body)
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		length int
		want   string
	}{{998, "250"}, {64 << 10, "250"}, {64<<10 + 1, "554 5.6.0"}, {1 << 20, "554 5.6.0"}} {
		t.Run(fmt.Sprint(c.length), func(t *testing.T) {
			h := open(t)
			talk := begin(t, h)
			talk.send("Subject: long\r\n\r\n" + strings.Repeat("x", c.length) + "\r\n.\r\n")
			talk.want(c.want)
		})
	}
	t.Run("command", func(t *testing.T) {
		h := open(t)
		talk := dial(t, h.listen(Relay))
		talk.want("220")
		talk.send("NOOP " + strings.Repeat("x", 1<<16))
		talk.want("500 5.5.6")
	})
	t.Run("LF alone after a command", func(t *testing.T) {
		h := open(t)
		talk := dial(t, h.listen(Relay))
		talk.want("220")
		talk.send("EHLO client.elsewhere.example\nNOOP\r\n")
		talk.want("500 5.5.2")
		talk.want("250 2.0.0 yes")
	})
}

// begin begins a message from bob to alice, up to 354.
func begin(t *testing.T, h *house) *talk {
	t.Helper()
	c := dial(t, h.listen(Relay))
	c.want("220")
	c.do("EHLO client.elsewhere.example", "250")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250")
	c.do("RCPT TO:<alice@example.org>", "250")
	c.do("DATA", "354")
	return c
}

// none makes sure that nobody has got anything.
func (h *house) none(t *testing.T) {
	t.Helper()
	for _, user := range []string{"alice", "bob", "carol"} {
		if got := h.got(user, "INBOX"); len(got) > 0 {
			t.Errorf("%s got %q, want nothing", user, got)
		}
	}
	if got := h.queued(); len(got) > 0 {
		t.Errorf("queued: got %v, want nothing", got)
	}
}
