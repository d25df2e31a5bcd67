package vcard

import (
	"errors"
	"strings"
	"testing"
)

func TestMerge(t *testing.T) {
	const base = "VERSION:3.0|UID:1|FN:Alice|N:L;Alice;;;|TEL:1|TEL:2|item1.URL:a|item1.X-ABLABEL:x|NOTE:n|REV:2020-01-01T00:00:00Z"
	for _, c := range []struct{ name, base, ours, theirs, want string }{
		{"nothing", base, base, base, base},
		{"ours only", base, base + "|EMAIL:a", base, base + "|EMAIL:a"},
		{"theirs only", base, base, base + "|EMAIL:a", base + "|EMAIL:a"},
		{"both add", base, base + "|TEL:3", base + "|TEL:4", base + "|TEL:3|TEL:4"},
		{"both add the same", base, base + "|TEL:3", base + "|TEL:3", base + "|TEL:3"},
		{"one changes, one adds", "UID:1|TEL:1", "UID:1|TEL:2", "UID:1|TEL:1|TEL:9", "UID:1|TEL:2|TEL:9"},
		{"different properties", "UID:1|TEL:1|NOTE:n", "UID:1|TEL:2|NOTE:n", "UID:1|TEL:1|NOTE:m", "UID:1|TEL:2|NOTE:m"},
		{"both remove different ones", "UID:1|TEL:1|TEL:2", "UID:1|TEL:2", "UID:1|TEL:1", "UID:1"},
		{"both change alike", "UID:1|NOTE:n", "UID:1|NOTE:m", "UID:1|NOTE:m", "UID:1|NOTE:m"},
		{"same property", "UID:1|TEL:1", "UID:1|TEL:2", "UID:1|TEL:3", ""},
		{"removed and changed", "UID:1|TEL:1", "UID:1", "UID:1|TEL:3", ""},
		{"two notes", "UID:1", "UID:1|NOTE:a", "UID:1|NOTE:b", ""},
		{"same note", "UID:1|NOTE:n", "UID:1|NOTE:a", "UID:1|NOTE:b", ""},
		{"members of a group", "UID:1|MEMBER:a|MEMBER:b", "UID:1|MEMBER:b|MEMBER:c", "UID:1|MEMBER:a|MEMBER:b|MEMBER:d", "UID:1|MEMBER:b|MEMBER:c|MEMBER:d"},
		{"spelling only", "UID:1|TEL;TYPE=HOME;TYPE=PREF:1", "UID:1|TEL;TYPE=pref,home:1", "UID:1|TEL;TYPE=HOME;TYPE=PREF:1|NOTE:n", "UID:1|TEL;TYPE=pref,home:1|NOTE:n"},
		{"groups renamed", "UID:1|item1.URL:a|item1.X-ABLABEL:x", "UID:1|item7.X-ABLABEL:x|item7.URL:a", "UID:1|item1.URL:a|item1.X-ABLABEL:x|NOTE:n",
			"UID:1|item7.X-ABLABEL:x|item7.URL:a|NOTE:n"},
		{"one group name, two things", "UID:1", "UID:1|item1.URL:a|item1.X-ABLABEL:x", "UID:1|item1.TEL:2|item1.X-ABLABEL:y",
			"UID:1|item1.URL:a|item1.X-ABLABEL:x|item2.TEL:2|item2.X-ABLABEL:y"},
		{"label and value", "UID:1|item1.URL:a|item1.X-ABLABEL:x", "UID:1|item1.URL:b|item1.X-ABLABEL:x", "UID:1|item1.URL:a|item1.X-ABLABEL:y", ""},
		{"later REV, ours", "UID:1|REV:1", "UID:1|REV:2021-01-01T00:00:00Z|PRODID:us", "UID:1|NOTE:n|REV:20200101T000000Z|PRODID:them", "UID:1|REV:2021-01-01T00:00:00Z|PRODID:us|NOTE:n"},
		{"later REV, theirs", "UID:1|REV:1", "UID:1|REV:20200101T000000Z", "UID:1|REV:2021-01-01T00:00:00Z", "UID:1|REV:2021-01-01T00:00:00Z"},
		{"another version", "UID:1|TEL;TYPE=pref:1|BDAY:1985-04-12", "UID:1|TEL;TYPE=pref:1|BDAY:1985-04-12|NOTE:n", "VERSION:4.0|UID;VALUE=text:1|N:;;;;|TEL;PREF=1:1|BDAY:19850413",
			"UID:1|TEL;TYPE=pref:1|NOTE:n|BDAY:1985-04-13"},
	} {
		text := func(s string) []byte {
			if !strings.HasPrefix(s, "VERSION") {
				s = "VERSION:3.0|" + s
			}
			if !strings.Contains(s, "|N:") {
				s = strings.Replace(s, "|UID", "|N:;;;;|UID", 1)
			}
			return card(strings.Split(s, "|")...)
		}
		got, err := Merge(text(c.base), text(c.ours), text(c.theirs))
		switch {
		case c.want == "":
			if !errors.Is(err, ErrConflict) {
				t.Errorf("%s: got %s, %v, want ErrConflict", c.name, got, err)
			}
		case err != nil:
			t.Errorf("%s: got %v, want\n%s", c.name, err, c.want)
		case sorted(parse(t, got)) != sorted(parse(t, text(c.want))):
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, text(c.want))
		}
		if _, err := Merge(text(c.base), text(c.theirs), text(c.ours)); (err == nil) != (c.want != "") {
			t.Errorf("%s, sides exchanged: got %v", c.name, err)
		}
	}
}

func TestMergeWithoutBase(t *testing.T) {
	a, b := card("VERSION:3.0", "UID:1", "TEL;HOME:1"), card("VERSION:3.0", "UID:1", "TEL;TYPE=home:1")
	if got, err := Merge(nil, a, b); err != nil || string(got) != string(a) {
		t.Errorf("the same: got %s, %v, want ours", got, err)
	}
	if _, err := Merge(nil, a, card("VERSION:3.0", "UID:1")); !errors.Is(err, ErrConflict) {
		t.Errorf("different: got %v, want ErrConflict", err)
	}
	var bad *Error
	if _, err := Merge(a, []byte("x"), b); !errors.As(err, &bad) {
		t.Errorf("no card: got %v, want *Error", err)
	}
}
