package line

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		m    TextMatch
		text string
		want bool
	}{
		{TextMatch{Text: "steel"}, "Go STEELers", true},
		{TextMatch{Text: "ä"}, "Ä", false},
		{TextMatch{Text: ""}, "", true},
		{TextMatch{Text: "x", Negate: true}, "y", true},
		{TextMatch{Text: "x", Negate: true}, "X", false},
		{TextMatch{Text: "Steel", Collation: Octet}, "steel", false},
		{TextMatch{Text: "steel", Collation: Octet}, "steel", true},
		{TextMatch{Text: "ä", Collation: UnicodeCasemap}, "Ä", true},
		{TextMatch{Text: "müller", Collation: UnicodeCasemap}, "MU\u0308LLER", true},
		{TextMatch{Text: "ΣΊΣΥΦΟΣ", Collation: UnicodeCasemap}, "Σίσυφοσ", true},
		{TextMatch{Text: "\u01c4", Collation: UnicodeCasemap, Type: Equals}, "\u01c6", true},
		{TextMatch{Text: "ﬁn", Collation: UnicodeCasemap}, "fine", false}, // ﬁ has no titlecase of one letter, and so becomes "fi"
		{TextMatch{Text: "ﬁn", Collation: UnicodeCasemap}, "ﬁne", true},
		{TextMatch{Text: "ab", Type: Equals}, "AB", true},
		{TextMatch{Text: "ab", Type: Equals}, "abc", false},
		{TextMatch{Text: "ab", Type: StartsWith}, "ABC", true},
		{TextMatch{Text: "bc", Type: StartsWith}, "abc", false},
		{TextMatch{Text: "bc", Type: EndsWith}, "ABC", true},
		{TextMatch{Text: "ab", Type: EndsWith}, "abc", false},
	} {
		if got := c.m.Match(c.text); got != c.want {
			t.Errorf("%+v on %q: %v, want %v", c.m, c.text, got, c.want)
		}
	}
	if got := UnicodeCasemap.Fold("\u01c4"); got != "Dz\u030c" { // the example of RFC 5051 §2
		t.Errorf("U+01C4 folds to %+q", got)
	}
	if Collation("i;basic").Known() || !Octet.Known() {
		t.Error("Known is wrong")
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ text, value string }{
		{"", ""},
		{"plain", "plain"},
		{"a, b; c\\d", `a\, b\; c\\d`},
		{"two\nlines", `two\nlines`},
		{`\n`, `\\n`},
	} {
		if got := Escape(c.text); got != c.value {
			t.Errorf("Escape(%q) = %q, want %q", c.text, got, c.value)
		}
		if got := Unescape(c.value); got != c.text {
			t.Errorf("Unescape(%q) = %q, want %q", c.value, got, c.text)
		}
	}
	if got := Unescape(`a\Nb\xc\`); got != "a\nb\\xc\\" {
		t.Errorf("got %q", got)
	}
	if got := Escape("a\r\nb\x00\x1b\xff\tc"); got != "a\\nb\tc" {
		t.Errorf("got %q", got)
	}
	if got := Texts(`a\,b,c\\,,d`); len(got) != 4 || got[0] != "a,b" || got[1] != `c\` || got[3] != "d" {
		t.Errorf("Texts: %q", got)
	}
	if got := Join([]string{"a;b", "", "c"}, ';'); got != `a\;b;;c` {
		t.Errorf("Join: %q", got)
	}
}
