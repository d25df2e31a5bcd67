package smtp

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestDialogues plays testdata/*.txt: a line behind "C:" is sent, that behind "Q:" is quoted and sent as it is,
// and a reply has to begin with what is behind "S:".
func TestDialogues(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	check(t, err)
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			check(t, err)
			play(t, string(data))
		})
	}
}

func play(t *testing.T, script string) {
	h := open(t)
	h.server.Limits.Faults = 1000
	h.alias(t, "jürgen", "bob")
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + h.passwords["alice"]))
	kind := Relay
	if strings.Contains(script, "\nkind submission\n") {
		kind = Submission
	}
	c := dial(t, h.listen(kind))
	said := ""
	for n, line := range strings.Split(strings.TrimSpace(script), "\n") {
		mark, rest, _ := strings.Cut(line, ":")
		rest = strings.TrimPrefix(rest, " ")
		switch mark {
		case "C":
			said = rest
			c.send(strings.Replace(rest, " PLAIN PLAIN", " PLAIN "+plain, 1) + "\r\n")
		case "Q":
			said = rest
			raw, err := strconv.Unquote(rest)
			check(t, err)
			c.send(raw)
		case "S":
			if got := c.reply(); !strings.HasPrefix(got, rest) {
				t.Fatalf("line %d, after %q: got %q, want %q", n+1, said, got, rest)
			}
		}
	}
}

func TestDelivery(t *testing.T) {
	h := open(t)
	c := dial(t, h.listen(Relay))
	c.want("220 mail.example.org ESMTP")
	c.do("EHLO client.elsewhere.example", "250-mail.example.org")
	c.do("MAIL FROM:<bob@elsewhere.example>", "250 2.1.0")
	c.do("RCPT TO:<alice@example.org>", "250 2.1.5")
	c.do("DATA", "354 ")
	c.send(strings.ReplaceAll(letter, "\r\n.", "\r\n..") + ".\r\n")
	c.want("250 2.0.0")
	c.do("QUIT", "221 2.0.0")
	c.gone()
	got := h.got("alice", "INBOX")
	if len(got) != 1 || !strings.HasSuffix(got[0], letter) {
		t.Fatalf("got %q, want %q at the end of one message", got, letter)
	}
	for _, want := range []string{
		"Return-Path: <bob@elsewhere.example>\r\n", "Delivered-To: alice@example.org\r\n",
		"Received: from client.elsewhere.example ([127.0.0.1])", "by mail.example.org with ESMTP id ",
	} {
		if !strings.Contains(strings.ReplaceAll(got[0], "\r\n ", " "), want) {
			t.Errorf("got %q, want in it %q", got[0], want)
		}
	}
}
