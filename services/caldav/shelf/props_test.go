package shelf

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cairn/services/tomlfile"
)

func TestProps(t *testing.T) {
	want := &Props{
		DisplayName: `He said "hi" {to} me`, Description: "two\nlines\ttab", Color: "#ff0000ff", Order: "3",
		Timezone: "BEGIN:VCALENDAR\r\n" + strings.Repeat("X-A:a.b.c.{d}\r\n", 100) + "END:VCALENDAR\r\n", TimezoneID: "Europe/Vienna",
		Components: []string{"VEVENT", "VTODO"}, Transparent: true, Shares: map[string]Access{"bob": Read, "carol": ReadWrite},
		Public: true, Nonce: "abc", Default: "home",
		Source: &Source{URL: "https://example.com/a.ics?x=" + strings.Repeat("a.", 80), ETag: `"x"`, Changed: start, Error: "no", Since: start.Add(time.Hour)},
		Dead:   []Dead{{"http://a.b/", "p", `<p xmlns="http://a.b/">` + strings.Repeat(".{}", 200) + "\u2028\x7f</p>"}, {"", "q", "<q/>"}},
	}
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeProps(data, true)
	if err != nil || !got.Equal(want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if again, err := got.Encode(); err != nil || string(again) != string(data) {
		t.Errorf("written again it is different: %v\n%s\n%s", err, again, data)
	}
	if data, err := (&Props{}).Encode(); err != nil || len(data) != 0 {
		t.Errorf("no properties: %q, %v, want an empty file", data, err)
	}
	large := &Props{Description: strings.Repeat("x", tomlfile.MaxBytes)}
	if _, err := large.Encode(); !errors.Is(err, ErrTooManyProps) {
		t.Errorf("too many: %v", err)
	}
	for _, bad := range []string{"name = 1", "shares = {bob = \"own\"}", "[shares]\n\"a/b\" = \"read\"", "[[dead]]\nspace = \"x\"", "nmae = \"x\"", "\x00"} {
		if p, err := decodeProps([]byte(bad), true); err == nil {
			t.Errorf("%q: got %+v, want an error", bad, p)
		}
	}
}

// TestPropsByHand has files that cannot be read.
func TestPropsByHand(t *testing.T) {
	each(t, func(k *kit) {
		k.push("calendars/home/.props.toml", "name = [", "calendars/home/a.ics", event("a", "A"), ".locks.toml", "???")
		c := k.coll("calendars/home")
		if !c.Props().Equal(&Props{}) {
			t.Errorf("got %+v, want none", c.Props())
		}
		k.want("what is in it", names(t, c), "a.ics")
		if list, err := k.snap().Locks(); err != nil || len(list) != 0 {
			t.Errorf("locks: %v, %v", list, err)
		}
		k.put("calendars/home/b.ics", event("b", "B"))
	})
}

func TestPropsOfKinds(t *testing.T) {
	each(t, func(k *kit) {
		dead := []Dead{{"x:", "p", "<p/>"}}
		for _, p := range []Path{{}, {Kind: Calendars}, {Kind: Contacts}, {Kind: Inbox}} {
			k.must(func(e *Edit) error { return e.SetProps(p, &Props{Dead: dead}) })
		}
		s := k.snap()
		for _, kind := range []Kind{"", Calendars, Contacts} {
			if got := s.Props(kind); len(got.Dead) != 1 {
				t.Errorf("%q: got %+v", kind, got)
			}
		}
		if got := k.coll("inbox").Props(); len(got.Dead) != 1 {
			t.Errorf("inbox: got %+v", got)
		}
		k.want("the defaults are still there", k.files(),
			".props.toml calendars/.props.toml calendars/home/.props.toml contacts/.props.toml contacts/contacts/.props.toml inbox/.props.toml")
	})
}

func FuzzProps(f *testing.F) {
	f.Add(`a"b{c}.`, "<x/>", []byte("name = \"x\"\n[shares]\nbob = \"read\"\n"))
	f.Add(strings.Repeat(".", 100), "\\\r\n\x01\u2028", []byte("[[dead]]\nname = \"a\"\n[source]\nurl = \"x\"\n"))
	f.Fuzz(func(t *testing.T, text, xml string, file []byte) {
		want := &Props{DisplayName: strings.ToValidUTF8(text, "?"), Dead: []Dead{{text, "n", strings.ToValidUTF8(xml, "?")}}}
		want.Dead[0].Space = strings.ToValidUTF8(want.Dead[0].Space, "?")
		if data, err := want.Encode(); err == nil {
			if got, err := decodeProps(data, true); err != nil || !got.Equal(want) {
				t.Errorf("got %+v, %v, want %+v\n%s", got, err, want, data)
			}
		} else if !errors.Is(err, ErrTooManyProps) {
			t.Errorf("encode: %v", err)
		}
		if p, err := decodeProps(file, true); err == nil {
			data, err := p.Encode()
			if errors.Is(err, ErrTooManyProps) {
				return
			}
			if again, err2 := decodeProps(data, true); err != nil || err2 != nil || !again.Equal(p) {
				t.Errorf("%q: %v, %v", data, err, err2)
			}
		}
		if list, err := decodeLocks(file, true); err == nil {
			if data, err := encodeTOML(lockRecord{list}); err == nil {
				if _, err := decodeLocks(data, true); err != nil {
					t.Errorf("locks %q: %v", data, err)
				}
			}
		}
	})
}
