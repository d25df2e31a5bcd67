package message

import "testing"

func TestSplit(t *testing.T) {
	for _, c := range []struct{ raw, head, body string }{
		{"A: b\r\n\r\nbody", "A: b\r\n\r\n", "body"},
		{"A: b\n\nbody\n", "A: b\n\n", "body\n"},
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
