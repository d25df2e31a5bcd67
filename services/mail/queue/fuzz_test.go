package queue

import (
	"testing"
	"time"

	"cairn/services/mail/message"
	"cairn/services/mail/queue/dsn"
)

func FuzzEntry(f *testing.F) {
	q := newHouse(f, newWorld(), newBackend()).q
	entries, err := q.entries(letter("bob@example.test", "carol@bücher.test", "süß@[IPv6:2001:db8::1]"))
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		data, err := e.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"to":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseEntry(data)
		if err != nil {
			return
		}
		again, err := e.encode()
		if err != nil {
			t.Skip() // a year that JSON does not have
		}
		if _, err := parseEntry(again); err != nil {
			t.Fatalf("%q: what was written cannot be read: %v", again, err)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("ab/cd/efghijklmnop/message")
	f.Add("ab/cd/efghijklmnop/1xx/100")
	f.Fuzz(func(t *testing.T, p string) {
		id, dir, ok := parsePath(p)
		if !ok {
			return
		}
		if again, err := folder(id); err != nil || again != dir || len(id) != idLength {
			t.Fatalf("%q: got %q, %q", p, id, dir)
		}
	})
}

// FuzzReport: whatever was sent, to whom, and whatever a server says, the report can go over the wire
// and has no header but its own.
func FuzzReport(f *testing.F) {
	f.Add("bob@example.test", "rfc822;bob@example.com", "550 no", "550 5.1.1 no\r\nBcc: x", text, true)
	f.Add("süß@example.test", "utf-8;süß@x", "", "\x00\n.\n", "Subject: \xff\n\nx", false)
	f.Fuzz(func(t *testing.T, to, original, words, reply, raw string, full bool) {
		report := dsn.Report{
			Host: "mail.home.test", Sender: "alice@home.test", EnvID: "x", Arrived: time.Unix(0, 0), Message: []byte(raw), Full: full,
			About: []dsn.Recipient{{Original: original, Final: to, Action: dsn.Failed, Status: "5.0.0", Words: words, Reply: reply, Remote: "mx"}},
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
