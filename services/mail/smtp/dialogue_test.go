package smtp

import (
	"strings"
	"testing"
)

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
