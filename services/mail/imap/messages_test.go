package imap

import (
	"strings"
	"testing"
)

const hello = "From: Alice <alice@example.org>\r\nTo: bob@example.org\r\nSubject: Hello\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nGood morning.\r\n"

func TestMessages(t *testing.T) {
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello, hello)
	c := h.open("INBOX")
	show := func(cmd string) {
		t.Helper()
		lines, answer := c.do(cmd)
		t.Logf("C: %s\n%s\n%s", cmd, strings.Join(lines, "\n"), answer)
	}
	show("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)")
	show("FETCH 1 BODY[]")
	show("FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (Subject \"to\")]<0.20>)")
	show("STORE 1 +FLAGS (\\Flagged $Junk)")
	show("STORE 2 +FLAGS.SILENT (\\Deleted)")
	c.write("a APPEND INBOX (\\Seen) {5}\r\n")
	c.want("+")
	c.write("a:b\r\n\r\n")
	t.Log(c.hear("a"))
	show("UID FETCH 3:* FLAGS")
	show("EXPUNGE")
	show("COPY 1 Trash")
	show("COPY 1 Nowhere")
	show("MOVE 1 Archive")
	show("STATUS Trash (MESSAGES UIDNEXT UNSEEN SIZE)")
	show("CREATE Work/Now")
	show("LIST \"\" % RETURN (STATUS (MESSAGES))")
}

func TestIdle(t *testing.T) {
	h := newHouse(t, nil)
	c := h.open("INBOX")
	c.write("i IDLE\r\n")
	c.want("+")
	h.put("alice", "INBOX", hello)
	c.want("* 1 EXISTS")
	d := h.open("INBOX")
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	c.want("* 1 FETCH (UID 1 FLAGS (\\Flagged))")
	d.ok("STORE 1 +FLAGS (\\Deleted)")
	c.want("* 1 FETCH (UID 1 FLAGS (\\Flagged \\Deleted))")
	d.ok("EXPUNGE")
	c.want("* 1 EXPUNGE")
	c.write("DONE\r\n")
	c.want("i OK")
	c.ok("NOOP")
}

func TestSearchTry(t *testing.T) {
	h := newHouse(t, nil)
	reply := strings.NewReplacer("<1@", "<2@", "Subject: Hello", "Subject: Re: Hello\r\nIn-Reply-To: <1@example.org>", "morning", "evening").Replace(hello)
	h.put("alice", "INBOX", hello, reply, hello)
	c := h.open("INBOX")
	show := func(cmd string) {
		t.Helper()
		lines, answer := c.do(cmd)
		t.Logf("C: %s\n%s\n%s", cmd, strings.Join(lines, "\n"), answer)
	}
	show("SEARCH ALL")
	show("SEARCH TEXT evening")
	show("SEARCH NOT TEXT evening SUBJECT hello")
	show("UID SEARCH RETURN (MIN MAX COUNT ALL) OR UID 1 BODY EVENING SMALLER 1000 SINCE 1-Jan-2020")
	show("SEARCH RETURN (SAVE) 2:3")
	show("UID SEARCH $")
	show("SORT (REVERSE SUBJECT DATE) UTF-8 ALL")
	show("THREAD REFERENCES UTF-8 ALL")
	show("UID THREAD ORDEREDSUBJECT UTF-8 ALL")
	show("SEARCH CHARSET KOI8-R TEXT x")
	show("SEARCH FOO")
}
