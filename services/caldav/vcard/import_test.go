package vcard

import (
	"errors"
	"strings"
	"testing"
)

// imported are the cards of a file and the error at its end.
func imported(data string) (all []*Card, err error) {
	for c, e := range Import([]byte(data)) {
		if e != nil {
			return all, e
		}
		all = append(all, c)
	}
	return all, nil
}

func TestImport(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"2.1", "VERSION:2.1|N:Liddell;Alice|FN:Alice, Liddell|TEL;HOME;VOICE:1|UID:1",
			`VERSION:3.0|N:Liddell;Alice|FN:Alice\, Liddell|TEL;TYPE=HOME,VOICE:1|UID:1`},
		{"quoted-printable", "VERSION:2.1|FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB|NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo=|three; four|UID:1",
			`VERSION:3.0|FN:Zoë|NOTE:one\ntwothree\; four|UID:1`},
		{"bare quoted-printable, Latin 1", "VERSION:2.1|FN;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Zo=EB|UID:1", "VERSION:3.0|FN:Zoë|UID:1"},
		{"base64 without indents", "VERSION:2.1|FN:A|PHOTO;JPEG;ENCODING=BASE64:/9j/|4AAQ|SkZJ||UID:1", "VERSION:3.0|FN:A|PHOTO;TYPE=JPEG;ENCODING=b:/9j/4AAQSkZJ|UID:1"},
		{"base64 with indents", "VERSION:2.1|FN:A|PHOTO;JPEG;BASE64:|  /9j/|  4AAQ||UID:1", "VERSION:3.0|FN:A|PHOTO;TYPE=JPEG;ENCODING=b:/9j/4AAQ|UID:1"},
		{"a card within", "VERSION:2.1|FN:A|AGENT:|BEGIN:VCARD|VERSION:2.1|FN:B|END:VCARD|UID:1", `VERSION:3.0|FN:A|AGENT:BEGIN:VCARD\nVERSION:2.1\nFN:B\nEND:VCARD|UID:1`},
		{"escaped already", `VERSION:2.1|FN:A\, B|NOTE:C:\dir|UID:1`, `VERSION:3.0|FN:A\, B|NOTE:C:\\dir|UID:1`},
		{"no version", "FN:A|UID:1", "VERSION:3.0|FN:A|UID:1"},
		{"folded 3.0", "VERSION:3.0|FN:Ali| ce|UID:1", "VERSION:3.0|FN:Alice|UID:1"},
		{"4.0", "VERSION:4.0|FN:A|UID:1|TEL;VALUE=uri:tel:1", "VERSION:4.0|FN:A|UID:1|TEL;VALUE=uri:tel:1"},
		{"parameter with a colon", `VERSION:4.0|FN:A|ADR;LABEL="a:b":;;c;;;;|UID:1`, `VERSION:4.0|FN:A|ADR;LABEL="a:b":;;c;;;;|UID:1`},
		{"unreadable", "VERSION:3.0|FN:A|UID:1|what; is this|=|", `VERSION:3.0|FN:A|UID:1|X-UNREADABLE:what\; is this|X-UNREADABLE:=`},
		{"control characters", "VERSION:3.0|FN:A\x07B|UID:1", "VERSION:3.0|FN:AB|UID:1"},
		{"no FN", "VERSION:3.0|UID:1|N:Liddell;Alice;;;", "VERSION:3.0|UID:1|N:Liddell;Alice;;;|FN:Alice Liddell"},
		{"no name at all", "VERSION:3.0|UID:1", "VERSION:3.0|UID:1|FN:?"},
		{"two UIDs", "VERSION:3.0|UID:|UID:1|UID:2|FN:A", "VERSION:3.0|UID:1|FN:A"},
	} {
		got, err := imported("BEGIN:VCARD\r\n" + strings.ReplaceAll(c.in, "|", "\r\n") + "\r\nEND:VCARD\r\n")
		if err != nil || len(got) != 1 {
			t.Errorf("%s: got %d cards, %v", c.name, len(got), err)
			continue
		}
		if want := strings.ReplaceAll(c.want, "|", "\n") + "\n"; lines(got[0]) != want {
			t.Errorf("%s: got\n%swant\n%s", c.name, lines(got[0]), want)
		}
		if err := parse(t, got[0].Encode()).Check(); err != nil {
			t.Errorf("%s: what was imported is not accepted: %v", c.name, err)
		}
	}
}

func TestImportMany(t *testing.T) {
	one := "BEGIN:VCARD\nVERSION:3.0\nFN:A\nEND:VCARD\n"
	two := strings.Replace(one, "FN:A", "FN:B", 1)
	got, err := imported("some words\n" + one + "\n\n" + two + one)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %d cards, %v, want 3", len(got), err)
	}
	if got[0].UID() != got[2].UID() || got[0].UID() == got[1].UID() {
		t.Errorf("UIDs do not follow the content: %s, %s, %s", got[0].UID(), got[1].UID(), got[2].UID())
	}
	var bad *Error
	if got, err := imported(one + "BEGIN:VCARD\nFN:C\n"); len(got) != 1 || !errors.As(err, &bad) || bad.Line != 5 {
		t.Errorf("a card without an end: got %d cards, %v, want 1 and an error in line 5", len(got), err)
	}
	if _, err := imported("nothing\n"); !errors.As(err, &bad) {
		t.Errorf("no card: got %v, want *Error", err)
	}
}

func TestImportEncodings(t *testing.T) {
	text := "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë\r\nUID:1\r\nEND:VCARD\r\n"
	utf16 := []byte{0xff, 0xfe}
	for _, r := range text {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	for name, data := range map[string]string{
		"UTF-8": text, "byte order mark": "\ufeff" + text, "UTF-16": string(utf16),
		"Windows-1252": strings.Replace(text, "ë", "\xeb", 1), "old Mac": strings.ReplaceAll(text, "\r\n", "\r"),
		"converted twice": strings.ReplaceAll(strings.Replace(text, "FN:Zoë", "FN:Z\r\n oë", 1), "\n", "\r\n"),
	} {
		if got, err := imported(data); err != nil || len(got) != 1 || got[0].Name() != "Zoë" {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
