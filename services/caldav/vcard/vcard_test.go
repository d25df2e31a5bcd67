package vcard

import (
	"errors"
	"strings"
	"testing"
)

// card is the text of a card with these lines.
func card(lines ...string) []byte {
	return []byte("BEGIN:VCARD\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n")
}

func parse(t testing.TB, data []byte) *Card {
	t.Helper()
	c, err := Parse(data)
	if err != nil {
		t.Fatalf("%s\n%v", data, err)
	}
	return c
}

// lines is the inside of a card, for comparing.
func lines(c *Card) string {
	var b strings.Builder
	for i := range c.Lines {
		b.WriteString(c.Lines[i].String() + "\n")
	}
	return b.String()
}

func TestParse(t *testing.T) {
	const valid, supported = "valid-address-data", "supported-address-data"
	for _, c := range []struct{ name, text, want string }{
		{"3.0", string(card("VERSION:3.0", "FN:Alice", "UID:a")), ""},
		{"4.0", string(card("VERSION:4.0", "FN:Alice", "UID:a")), ""},
		{"bare LF, lower case", "begin:vcard\nversion:3.0\nfn:Alice\nuid:a\nend:vcard\n", ""},
		{"byte order mark", "\ufeff" + string(card("VERSION:3.0", "FN:Alice", "UID:a")), ""},
		{"types of 2.1 in 3.0", string(card("VERSION:3.0", "FN:A", "UID:a", "TEL;HOME;VOICE:1")), ""},
		{"no name yet", string(card("VERSION:3.0", "FN:", "N:;;;;", "UID:a")), ""},
		{"nothing", "", valid},
		{"no card", "hello", valid},
		{"no end", "BEGIN:VCARD\r\nVERSION:3.0\r\n", valid},
		{"no version", string(card("FN:Alice", "UID:a")), valid},
		{"two versions", string(card("VERSION:3.0", "VERSION:4.0", "FN:A", "UID:a")), valid},
		{"two cards", string(card("VERSION:3.0", "FN:A", "UID:a")) + string(card("VERSION:3.0", "FN:B", "UID:b")), valid},
		{"a card within", "BEGIN:VCARD\nVERSION:3.0\nFN:A\nUID:a\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD\n", valid},
		{"no UID", string(card("VERSION:3.0", "FN:Alice")), valid},
		{"empty UID", string(card("VERSION:3.0", "FN:Alice", "UID: ")), valid},
		{"two UIDs", string(card("VERSION:3.0", "FN:Alice", "UID:a", "UID:b")), valid},
		{"no FN", string(card("VERSION:3.0", "N:A;B;;;", "UID:a")), valid},
		{"not UTF-8", string(card("VERSION:3.0", "FN:\xff", "UID:a")), valid},
		{"control character", string(card("VERSION:3.0", "FN:a\x00b", "UID:a")), valid},
		{"2.1", string(card("VERSION:2.1", "FN:Alice", "UID:a")), supported},
		{"5.0", string(card("VERSION:5.0", "FN:Alice", "UID:a")), supported},
		{"a calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", supported},
	} {
		got, err := Parse([]byte(c.text))
		if err == nil {
			err = got.Check()
		}
		var e *Error
		if errors.As(err, &e) != (c.want != "") || e != nil && e.Precondition != c.want {
			t.Errorf("%s: got %v, want precondition %q", c.name, err, c.want)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%s: the error says nothing", c.name)
		}
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`FN:Alice\, really`, "Alice, really"},
		{"N:Liddell;Alice;Pleasance,Jane;Miss;BA", "Miss Alice Pleasance Jane Liddell BA"},
		{"N:Liddell", "Liddell"},
		{"ORG:Tea Party;Hats", "Tea Party;Hats"},
		{"EMAIL:alice@example.org", "alice@example.org"},
		{"NOTE:nobody", ""},
	} {
		if got := parse(t, card("VERSION:3.0", "FN: ", c.line, "UID:a")).Name(); c.line[:2] != "FN" && got != c.want {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
		if got := parse(t, card("VERSION:3.0", c.line, "UID:a")).Name(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestIndex(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  Index
	}{
		{[]string{"VERSION:4.0", "UID:urn:uuid:1", "FN;PREF=2:Second", "FN;PREF=1:First", "BDAY:--0229", "KIND:Org"},
			Index{V4, "urn:uuid:1", "First", "org", Date{0, 2, 29}}},
		{[]string{"VERSION:3.0", "UID:1", "FN:Friends", "X-ADDRESSBOOKSERVER-KIND:group"}, Index{V3, "1", "Friends", "group", Date{}}},
		{[]string{"VERSION:3.0", "UID:1", "FN:Hats", "X-ABShowAs:COMPANY"}, Index{V3, "1", "Hats", "org", Date{}}},
		{[]string{"VERSION:3.0", "UID:1", "FN:A", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-09"}, Index{V3, "1", "A", "individual", Date{0, 3, 9}}},
		{[]string{"VERSION:3.0", "UID:1", "FN:A", "BDAY:sometime in May"}, Index{V3, "1", "A", "individual", Date{}}},
	} {
		if got := parse(t, card(c.lines...)).Index(); got != c.want {
			t.Errorf("%q: got %+v, want %+v", c.lines, got, c.want)
		}
	}
}
