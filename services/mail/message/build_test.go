package message

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestAppendField(t *testing.T) {
	long := strings.Repeat("word ", 40) + "end"
	for _, value := range []string{"short", "", "grüße", long, strings.Repeat("ä ", 100), strings.Repeat("x", 2000), "a  b", "=?not?=", "a =?utf-8?Q?=41?= b"} {
		raw := AppendField(nil, "Subject", value)
		raw = AppendField(raw, "X-Next", "y")
		h := ParseHeader(raw)
		if got := h.Text("Subject"); got != value {
			t.Errorf("%q is read as %q", value, got)
		}
		if f := Inspect(raw); f.MaxLine > foldAt+2 || f.EightBit || f.BareLF || f.BareCR || h.Len() != 2 {
			t.Errorf("%q is written as %q", value, raw)
		}
	}
	got := ParseHeader(AppendField(nil, "Subject", "a\r\nBcc: b\n\nbody"))
	if got.Len() != 1 || got.Text("Subject") != "a Bcc: b  body" {
		t.Errorf("a value with line ends is read as %q", got.Raw())
	}
}

func TestAppendAddresses(t *testing.T) {
	want := []Address{{"Alice", "alice", "example.org"}, {"Bøb, B.", "bob", "example.org"}, {"", "carol c", "example.org"}}
	for len(want) < 30 {
		want = append(want, want[0])
	}
	raw := AppendAddresses(nil, "To", want)
	h := ParseHeader(raw)
	got := h.Addresses("To")
	if len(got) != len(want) || got[1] != want[1] || got[2] != want[2] || Inspect(raw).MaxLine > foldAt+2 {
		t.Errorf("%+v is written as %q", want, raw)
	}
}

func TestEntity(t *testing.T) {
	e := Entity{
		Fields:  AppendField(nil, "Subject", "report"),
		Subtype: "report; report-type=delivery-status",
		Parts: []Entity{
			TextEntity("It is late.\n--\nµ\n"),
			{Fields: []byte("Content-Type: message/delivery-status\r\n"), Body: []byte("Action: delayed\r\n")},
			{Fields: []byte("Content-Type: message/rfc822\r\n"), Body: []byte("A: b\r\n\r\nc")},
			{Subtype: "mixed", Parts: []Entity{TextEntity("plain")}},
		},
	}
	raw := e.Encode()
	if !bytes.Equal(raw, e.Encode()) {
		t.Error("the same entity is encoded in two ways")
	}
	parts := Structure(raw)
	if len(parts) != 7 || parts[0].Params["report-type"] != "delivery-status" {
		t.Fatalf("%d parts in\n%s", len(parts), raw)
	}
	for i, want := range map[int]string{1: "It is late.\n--\nµ\n", 2: "Action: delayed\n", 4: "c", 6: "plain"} {
		if got := parts[i].Text(1000); got != want {
			t.Errorf("part %d is %q, want %q", i, got, want)
		}
	}
	if f := Inspect(raw); f.BareLF || f.EightBit || f.MaxLine > 100 {
		t.Errorf("the entity has %+v", f)
	}
}

func TestNewMessageID(t *testing.T) {
	now := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	id := NewMessageID(now, []byte("random"), "example.org")
	h := ParseHeader(AppendFolded(nil, "Message-ID", "<"+id+">"))
	if h.MessageID() != id || !strings.HasPrefix(id, "20200102030405.") || id == NewMessageID(now, []byte("other"), "example.org") {
		t.Errorf("NewMessageID = %q", id)
	}
}

func TestInspect(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want Facts
	}{
		{"A: b\r\n\r\nline\r\n", Facts{MaxLine: 4}},
		{"a\nbb", Facts{BareLF: true, MaxLine: 2}},
		{"a\rb\r\n", Facts{BareCR: true, MaxLine: 3}},
		{"a\r\r\n", Facts{BareCR: true, MaxLine: 2}},
		{"\n", Facts{BareLF: true}},
		{"a\r", Facts{BareCR: true, MaxLine: 2}},
		{"\r\n\x00\r\n", Facts{NUL: true, MaxLine: 1}},
		{"A: b\r\n\r\n12345678\xe4\r\n", Facts{EightBit: true, MaxLine: 9}},
		{"A: \xe4\r\n\r\n", Facts{EightBit: true, UTF8Header: true, MaxLine: 4}},
		{"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: x/y; name=\xe4\r\n\r\n", Facts{EightBit: true, UTF8Header: true, MaxLine: 41}},
		{"", Facts{}},
	} {
		if got := Inspect([]byte(c.raw)); got != c.want {
			t.Errorf("Inspect(%q) = %+v, want %+v", c.raw, got, c.want)
		}
	}
}

func FuzzAppendField(f *testing.F) {
	f.Add("grüße an alle", "Alice", "alice", "example.org")
	f.Add("=?utf-8?Q?x?=", "a\"b\\", "x y", "[::1]")
	f.Fuzz(func(t *testing.T, subject, name, local, domain string) {
		raw := AppendField(nil, "Subject", subject)
		raw = AppendFolded(raw, "X-Raw", subject)
		raw = AppendAddresses(raw, "To", []Address{{name, local, domain}})
		h := ParseHeader(raw)
		if n := h.Len(); n != 3 && len(raw) < MaxHeader {
			t.Fatalf("%d fields in %q", n, raw)
		}
		if f := Inspect(raw); f.BareCR || f.BareLF || f.NUL {
			t.Fatalf("%+v in %q", f, raw)
		}
	})
}

func BenchmarkStructure(b *testing.B) {
	raw := []byte(nested)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		Structure(raw)
	}
}

func BenchmarkText(b *testing.B) {
	raw := []byte("From: alice@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + strings.Repeat("It was the best of times, it was the worst of times.\r\n", 80))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Text(raw, 1<<20)
	}
}
