package line

import (
	"bytes"
	"testing"
)

// FuzzParse makes sure that nothing panics and that what has been read once is
// written and read the same ever after.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=\"a;b\":20260101T000000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"begin:vcard\nitem1.tel;home;type=a,b:1\nnote;x=^n^^^':a\n b\n\tc\nend:vcard",
		"\ufeffBEGIN:A\n\n X:1\nEND:A",
		"BEGIN:A\nBEGIN:B\nEND:B\nX;A=;B:\\,\\;\\n\nEND:A\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Parse(data)
		if err != nil {
			return
		}
		for _, c := range all {
			first := c.Encode()
			again, err := Parse(first)
			if err != nil || len(again) != 1 {
				t.Fatalf("%v in what was written:\n%q", err, first)
			}
			if second := again[0].Encode(); !bytes.Equal(first, second) {
				t.Fatalf("written\n%q\nthen\n%q", first, second)
			}
			for i := range c.Lines {
				v := c.Lines[i].Value
				if got := Unescape(Escape(v)); got != v {
					t.Fatalf("Escape and Unescape make %q of %q", got, v)
				}
			}
		}
	})
}
