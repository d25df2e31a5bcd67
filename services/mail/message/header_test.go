package message

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ raw, head, body string }{
		{"A: b\r\n\r\nbody", "A: b\r\n\r\n", "body"},
		{"A: b\n\nbody\n", "A: b\n\n", "body\n"},
		{"A: b\r\n \r\nC: d\r\n\r\nbody", "A: b\r\n \r\nC: d\r\n\r\n", "body"},
		{"\r\nbody", "\r\n", "body"},
		{"A: b\r\n", "A: b\r\n", ""},
		{"", "", ""},
	} {
		head, body := Split([]byte(c.raw))
		if string(head) != c.head || string(body) != c.body {
			t.Errorf("Split(%q) = %q, %q, want %q, %q", c.raw, head, body, c.head, c.body)
		}
	}
}

const untidy = "From alice@example.org Mon Jan  2 15:04:05 2006\r\n" +
	"Received: from a.example\r\n\tby b.example;\r\n Mon, 2 Jan 2006 15:04:05 -0700\r\n" +
	"received : second\n" +
	"no field\r\n" +
	": nameless\r\n" +
	"Subject: =?iso-8859-1?Q?gr=FC=DFe?=\r\n" +
	"X-Empty:\r\n" +
	"X-Last: without an end"

func TestHeader(t *testing.T) {
	h := ParseHeader([]byte(untidy))
	var names []string
	for f := range h.Fields() {
		names = append(names, f.Name)
		if got := untidy[f.Offset : f.Offset+len(f.Raw)]; got != string(f.Raw) {
			t.Errorf("at the offset of %s stands %q, want %q", f.Name, got, f.Raw)
		}
	}
	if want := []string{"Received", "received", "Subject", "X-Empty", "X-Last"}; !slices.Equal(names, want) {
		t.Errorf("fields are %q, want %q", names, want)
	}
	if got, want := h.All("RECEIVED"), []string{"from a.example\tby b.example; Mon, 2 Jan 2006 15:04:05 -0700", "second"}; !slices.Equal(got, want) {
		t.Errorf("All = %q, want %q", got, want)
	}
	if got, want := h.Text("subject"), "grüße"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	if got, want := h.Get("x-last"), "without an end"; got != want {
		t.Errorf("Get = %q, want %q", got, want)
	}
	if !h.Has("x-empty") || h.Has("x-absent") || h.Has("X-Empt") {
		t.Error("Has is wrong")
	}
}

func TestHeaderBounds(t *testing.T) {
	if got := ParseHeader([]byte(strings.Repeat("A: b\r\n", 2*MaxFields))).Len(); got != MaxFields {
		t.Errorf("%d fields of a flood were read, want %d", got, MaxFields)
	}
	h := ParseHeader([]byte("A: " + strings.Repeat("b", 2*MaxHeader) + "\r\nC: d\r\n"))
	if len(h.Get("A")) > MaxHeader || h.Has("C") {
		t.Error("more than MaxHeader was read")
	}
}

func TestDecodeWords(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?UTF-8?B?w6Q=?= =?utf-8?b?w7Y=?=", "äö"},
		{"=?UTF-8?B?w6Q=?=  x =?utf-8?b?w7Y=?=", "ä  x ö"},
		{"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"}, // a character in two words
		{"=?iso-8859-1*de?Q?gr=FC=DFe_!?=", "grüße !"},
		{"=?koi8-r?B?8NLJ18XU?=", "Привет"},
		{"=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"},
		{"=?gb2312?B?xOO6ww==?=", "你好"},
		{"=?x-nobody-knows?Q?=E9t=E9?=", "été"},
		{"=?utf-8?Q?a b?=", "a b"},
		{"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"=?utf-8?Q?abc", "=?utf-8?Q?abc"},
		{"=?=?=?", "=?=?=?"},
		{"a=?utf-8?Q?b?=c", "abc"},
		{"=?utf-8?Q?=0D=0ABcc:_x?=", " Bcc: x"},
		{"caf\xe9", "café"},
		{"tab\there\x00\x1b[31m", "tab here[31m"},
	} {
		if got := DecodeWords(c.in); got != c.want {
			t.Errorf("DecodeWords(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct {
		head string
		id   string
		refs []string
	}{
		{"Message-ID: <1@example.org>\r\n", "1@example.org", nil},
		{"Message-Id: (x) <1\r\n @example.org>\r\n", "1@example.org", nil},
		{"Message-ID: 1@example.org\r\n", "1@example.org", nil},
		{"Message-ID: <\"1\"@example.org>\r\n", "1@example.org", nil},
		{"Message-ID: what is this\r\n", "", nil},
		{"References: <1@x> garbage <2@x>\r\n\t<3@x\r\nIn-Reply-To: <9@x>\r\n", "", []string{"1@x", "2@x"}},
		{"In-Reply-To: Your message of <yesterday@x> and <7@x>\r\n", "", []string{"yesterday@x"}},
		{"References: <><<3@x>>\r\n", "", []string{"3@x"}},
	} {
		h := ParseHeader([]byte(c.head))
		if got := h.MessageID(); got != c.id {
			t.Errorf("MessageID of %q = %q, want %q", c.head, got, c.id)
		}
		if got := h.References(); !slices.Equal(got, c.refs) {
			t.Errorf("References of %q = %q, want %q", c.head, got, c.refs)
		}
	}
}
