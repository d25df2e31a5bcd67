package dav

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestDeadProperties takes properties as clients set them and looks at what is kept.
func TestDeadProperties(t *testing.T) {
	for _, c := range []struct{ name, set, want string }{
		{"default namespace", `<x xmlns="urn:x">v</x>`, `<x xmlns="urn:x">v</x>`},
		{"prefix from outside", `<o:x>v</o:x>`, `<o:x xmlns:o="urn:outer">v</o:x>`},
		{"no namespace", `<x xmlns="">v</x>`, `<x>v</x>`},
		{"no namespace within one", `<x xmlns="urn:x"><y xmlns=""/></x>`, `<x xmlns="urn:x"><y xmlns=""/></x>`},
		{"in DAV:", `<D:x>v</D:x>`, `<D:x xmlns:D="DAV:">v</D:x>`},
		{"mixed content", `<o:x>a <b xmlns="urn:b">bold</b> z</o:x>`, `<o:x xmlns:o="urn:outer">a <b xmlns="urn:b">bold</b> z</o:x>`},
		{"white space", "<o:x> \n\t </o:x>", "<o:x xmlns:o=\"urn:outer\"> \n\t </o:x>"},
		{"its own language", `<o:x xml:lang="de">v</o:x>`, `<o:x xmlns:o="urn:outer" xml:lang="de">v</o:x>`},
		{"attributes", `<o:x a="1" o:a="&quot;2&quot;"/>`, `<o:x xmlns:o="urn:outer" a="1" o:a="&quot;2&quot;"/>`},
		{"qualified names in an attribute", `<o:x q="o2:string"/>`, `<o:x xmlns:o="urn:outer" xmlns:o2="urn:two" q="o2:string"/>`},
		{"qualified names in text", `<o:x>see o2:string, http://example.org/</o:x>`, `<o:x xmlns:o="urn:outer" xmlns:o2="urn:two">see o2:string, http://example.org/</o:x>`},
		{"a prefix that changes its meaning", `<o:x><o:y xmlns:o="urn:inner"/><o:z/></o:x>`, `<o:x xmlns:o="urn:outer"><o:y xmlns:o="urn:inner"/><o:z/></o:x>`},
		{"characters", `<o:x>&amp;&lt;]]&gt;&#13;ü🗓</o:x>`, `<o:x xmlns:o="urn:outer">&amp;&lt;]]&gt;&#13;ü🗓</o:x>`},
		{"CDATA", `<o:x><![CDATA[<&>]]></o:x>`, `<o:x xmlns:o="urn:outer">&lt;&amp;&gt;</o:x>`},
		{"comment", `<o:x>a<!-- c -->b</o:x>`, `<o:x xmlns:o="urn:outer">ab</o:x>`},
	} {
		edits, err := ReadProppatch(strings.NewReader(`<D:propertyupdate xmlns:D="DAV:" xmlns:o="urn:outer" xmlns:o2="urn:two"><D:set><D:prop>` +
			c.set + `</D:prop></D:set></D:propertyupdate>`))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p := edits[0].Value.Prop()
		if p.XML != c.want {
			t.Errorf("%s: got %s, want %s", c.name, p.XML, c.want)
		}
		w := httptest.NewRecorder()
		m := NewMultistatus(w)
		r := m.Response("/")
		r.Prop(p)
		r.Done()
		m.Close()
		found := read(t, w.Body.String()).Child(D("response")).Child(D("propstat")).Child(nameProp).Child(p.Name)
		if found == nil || outline(found) != outline(edits[0].Value) {
			t.Errorf("%s: the answer has not the same:\n%s", c.name, w.Body)
		}
	}
}

// read parses what was answered.
func read(t *testing.T, s string) *Element {
	t.Helper()
	e, err := parse(strings.NewReader(s), limits{64 << 20, 10_000_000})
	if err != nil {
		t.Fatalf("%v in %.2000s", err, s)
	}
	return e
}

// TestLanguageInForce checks that xml:lang from around a property stays with it (RFC 4918 §4.3).
func TestLanguageInForce(t *testing.T) {
	edits, err := ReadProppatch(strings.NewReader(`<propertyupdate xmlns="DAV:" xml:lang="en"><set><prop xml:lang="fr"><a xmlns="u">x</a>` +
		`<b xmlns="u" xml:lang="">y</b></prop><prop><c xmlns="u">z</c></prop></set></propertyupdate>`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`<a xmlns="u" xml:lang="fr">x</a>`, `<b xmlns="u" xml:lang="">y</b>`, `<c xmlns="u" xml:lang="en">z</c>`,
	} {
		if got := edits[i].Value.Prop().XML; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestDamagedProperty: what people make of the files by hand must not break an answer.
func TestDamagedProperty(t *testing.T) {
	for _, p := range []Prop{
		{Name{"u", "x"}, `<x xmlns="u">`},
		{Name{"u", "x"}, `</d:prop></d:propstat>`},
		{Name{"u", "x"}, `<y xmlns="u"/>`},
		{Name{"u", `x><evil/>`}, `<x/>`},
		{Name{`u"><evil xmlns="`, "\xffx"}, ``},
		{Name{}, ``},
	} {
		w := httptest.NewRecorder()
		m := NewMultistatus(w)
		r := m.Response("/")
		r.Prop(p)
		r.Empty(p.Name)
		r.Done()
		m.Close()
		stat := read(t, w.Body.String()).Child(D("response")).Child(D("propstat"))
		if got := len(stat.Child(nameProp).Names()); got != 2 {
			t.Errorf("%v: got %d properties, want 2:\n%s", p, got, w.Body)
		}
	}
}
