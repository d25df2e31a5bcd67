package dav

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":          "plain",
		`<&>"'`:          `&lt;&amp;&gt;"'`,
		"a\r\nb\tc":      "a&#13;\nb\tc",
		"Grüße 🗓 \u2028": "Grüße 🗓 \u2028",
		"\x00\x1b\x7f":   "\uFFFD\uFFFD\x7f",
		"a\xffb\xc3":     "a\uFFFDb\uFFFD",
		"\uFFFE\uFFFF":   "\uFFFD\uFFFD",
		"\xed\xa0\x80":   "\uFFFD\uFFFD\uFFFD",
		"]]>":            "]]&gt;",
	} {
		if got := Build(func(b *Builder) { b.Text(in) }); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		make func(b *Builder)
		want string
	}{
		{func(b *Builder) { b.Element(DisplayName, "a<b") }, `<d:displayname>a&lt;b</d:displayname>`},
		{func(b *Builder) { b.Empty(Cal("comp"), At("name", "VEVENT")) }, `<cal:comp name="VEVENT"/>`},
		{func(b *Builder) { b.Element(Card("x"), "", At("a", "\"<\n\t&")) }, `<card:x a="&quot;&lt;&#10;&#9;&amp;"></card:x>`},
		{func(b *Builder) { b.Empty(Name{"urn:x&y", "z"}) }, `<x:z xmlns:x="urn:x&amp;y"/>`},
		{func(b *Builder) { b.Empty(Name{"", "z"}) }, `<z/>`},
		{func(b *Builder) { b.Element(D("description"), "x", Attr{nameLang, "de"}) }, `<d:description xml:lang="de">x</d:description>`},
		{func(b *Builder) { b.Href("/a?b&c") }, `<d:href>/a?b&amp;c</d:href>`},
		{func(b *Builder) { b.Empty(CS("größe")) }, `<cs:größe/>`},
	} {
		if got := Build(c.make); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// FuzzBuild writes anything as name, text and attribute, and reads it again.
func FuzzBuild(f *testing.F) {
	f.Add("urn:x", "name", "text\r\n", "attribute")
	f.Add("DAV:", "a b", "\x00\xff", "\"'<>&\t\n")
	f.Add("", "-", "]]>", "\uFFFF")
	f.Fuzz(func(t *testing.T, space, local, text, attr string) {
		if len(space)+len(local)+len(text)+len(attr) > 10_000 || len(space) > 200 || len(local) > 200 {
			return
		}
		if space == spaceXML || space == spaceXMLNS {
			return // nobody may bind these
		}
		s := Build(func(b *Builder) {
			b.Start(nameProp, At("p", attr))
			b.Element(Name{space, local}, text, At("a", attr))
			b.End(nameProp)
		})
		s = strings.Replace(s, "<d:prop", "<d:prop"+declareSpaces, 1)
		e, err := Parse(strings.NewReader(s))
		if err != nil {
			t.Fatalf("%v in %q", err, s)
		}
		if len(e.Nodes) != 1 || len(e.Nodes[0].Element.Attrs) != 1 {
			t.Fatalf("something got in from outside: %q", s)
		}
		if valid(text) && e.Nodes[0].Element.Text() != text {
			t.Fatalf("text %q came back as %q", text, e.Nodes[0].Element.Text())
		}
		if valid(attr) && e.Attr("p") != attr {
			t.Fatalf("attribute %q came back as %q", attr, e.Attr("p"))
		}
		if isNCName(local) && valid(space) && e.Nodes[0].Element.Name != (Name{space, local}) {
			t.Fatalf("name came back as %v", e.Nodes[0].Element.Name)
		}
	})
}

// valid reports whether XML can hold all of s.
func valid(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !isChar(r) })
}
