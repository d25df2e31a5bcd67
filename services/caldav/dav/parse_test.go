package dav

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestParseNames(t *testing.T) {
	root, err := Parse(strings.NewReader(`<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment --><a xmlns="urn:one" xmlns:p="urn:two" x="1" p:x="2" xml:lang="de">
	<p:b/><c xmlns=""/><p:d xmlns:p="urn:three"><p:e/></p:d><p:f/>
</a>`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Name{"urn:one", "a"}); root.Name != want {
		t.Errorf("root: got %v, want %v", root.Name, want)
	}
	wantAttrs := []Attr{{Name{"", "x"}, "1"}, {Name{"urn:two", "x"}, "2"}, {nameLang, "de"}}
	if !reflect.DeepEqual(root.Attrs, wantAttrs) {
		t.Errorf("attributes: got %v, want %v", root.Attrs, wantAttrs)
	}
	want := []Name{{"urn:two", "b"}, {"", "c"}, {"urn:three", "d"}, {"urn:two", "f"}}
	if got := root.Names(); !reflect.DeepEqual(got, want) {
		t.Errorf("children: got %v, want %v", got, want)
	}
	if got, want := root.Child(Name{"urn:three", "d"}).Names(), []Name{{"urn:three", "e"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("grandchildren: got %v, want %v", got, want)
	}
}

func TestParseText(t *testing.T) {
	for in, want := range map[string]string{
		"<a>x</a>": "x",
		"<a>&lt;&amp;&#x41;&#66;&quot;&apos;&gt;</a>": `<&AB"'>`,
		"<a>x<!-- no -->y<![CDATA[<z>]]></a>":         "xy<z>",
		"<a>1\r\n2\r3</a>":                            "1\n2\n3",
		"<a>&#xD800;</a>":                             "\uFFFD",
		"<a>1&#13;\n2</a>":                            "1\r\n2",
		"<a/>":                                        "",
		"\uFEFF<a>ü</a>":                              "ü",
	} {
		e, err := Parse(strings.NewReader(in))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := e.Text(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestParseNothing(t *testing.T) {
	for _, in := range []string{"", " \r\n"} {
		if e, err := Parse(strings.NewReader(in)); e != nil || err != nil {
			t.Errorf("%q: got %v, %v, want nil, nil", in, e, err)
		}
	}
}

func TestParseUTF16(t *testing.T) {
	units := utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?><a>Grüße 🗓</a>`))
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := order.AppendUint16(nil, 0xFEFF)
		for _, u := range units {
			b = order.AppendUint16(b, u)
		}
		e, err := Parse(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := e.Text(), "Grüße 🗓"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, err := Parse(strings.NewReader(string(b[:len(b)-1]))); status(err) != 400 {
			t.Errorf("half a character: got %v, want 400", err)
		}
	}
}

// TestParseRefuses goes through what an attacker or a broken client sends.
func TestParseRefuses(t *testing.T) {
	bomb := `<!DOCTYPE a [<!ENTITY x "` + strings.Repeat("lol", 100) + `"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>`
	for _, c := range []struct {
		name, in string
		status   int
	}{
		{"document type", `<!DOCTYPE a><a/>`, 403},
		{"billion laughs", bomb, 403},
		{"external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, 403},
		{"external document type", `<!DOCTYPE a SYSTEM "http://192.0.2.1/x.dtd"><a/>`, 403},
		{"undeclared entity", `<a>&x;</a>`, 400},
		{"HTML entity", `<a>&nbsp;</a>`, 400},
		{"processing instruction", `<a><?php x?></a>`, 403},
		{"style sheet", `<?xml-stylesheet href="x"?><a/>`, 403},
		{"late declaration", `<a><?xml version="1.0"?></a>`, 403},
		{"declaration after white space", ` <?xml version="1.0"?><a/>`, 403},
		{"version 1.1", `<?xml version="1.1"?><a/>`, 400},
		{"encoding", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, 415},
		{"UTF-7", `<?xml version="1.0" encoding="UTF-7"?><a/>`, 415},
		{"not UTF-8", "<a>\xff</a>", 400},
		{"overlong UTF-8", "<a>\xc0\xaf</a>", 400},
		{"NUL", "<a>\x00</a>", 400},
		{"control character", "<a>\x01</a>", 400},
		{"reference to NUL", "<a>&#0;</a>", 400},
		{"unclosed", `<a><b></a>`, 400},
		{"cut", `<a><b/>`, 400},
		{"closed twice", `<a/></a>`, 400},
		{"two roots", `<a/><b/>`, 400},
		{"text before", `x<a/>`, 400},
		{"text behind", `<a/>x`, 400},
		{"only text", `x`, 400},
		{"only a comment", `<!-- x -->`, 400},
		{"other case", `<a></A>`, 400},
		{"other prefix for the end", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, 400},
		{"undeclared prefix", `<p:a/>`, 400},
		{"undeclared prefix of an attribute", `<a p:b=""/>`, 400},
		{"prefix out of scope", `<a><b xmlns:p="u"/><p:c/></a>`, 400},
		{"two colons", `<p:a:b xmlns:p="u"/>`, 400},
		{"no prefix", `<:a/>`, 400},
		{"no local name", `<p: xmlns:p="u"/>`, 400},
		{"digit behind the prefix", `<p:1 xmlns:p="u"/>`, 400},
		{"prefix for nothing", `<p:a xmlns:p=""/>`, 400},
		{"xml elsewhere", `<a xmlns:xml="u"/>`, 400},
		{"namespace of xml elsewhere", `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`, 400},
		{"xmlns", `<a xmlns:xmlns="u"/>`, 400},
		{"namespace of xmlns", `<a xmlns="http://www.w3.org/2000/xmlns/"/>`, 400},
		{"declared twice", `<a xmlns:p="u" xmlns:p="v"/>`, 400},
		{"attribute twice", `<a b="" b=""/>`, 400},
		{"attribute twice by two prefixes", `<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>`, 400},
		{"attribute without quotes", `<a b=c/>`, 400},
		{"attribute without a value", `<a b/>`, 400},
		{"less-than in an attribute", `<a b="<"/>`, 400},
		{"end of CDATA in text", `<a>]]></a>`, 400},
		{"two dashes in a comment", `<a><!-- -- --></a>`, 400},
		{"too deep", strings.Repeat("<a>", 49) + strings.Repeat("</a>", 49), 413},
		{"far too deep", strings.Repeat("<a>", 100_000), 413},
		{"too many elements", "<a>" + strings.Repeat("<b/>", 60_000) + "</a>", 413},
		{"too many comments", "<a>" + strings.Repeat("<!---->", 60_000) + "</a>", 413},
		{"too many attributes", "<a " + attributes(33) + "/>", 413},
		{"too many namespaces", `<a ` + declarations(0, 30) + `><b ` + declarations(30, 60) + `><c ` + declarations(60, 65) + `/></b></a>`, 413},
		{"UTF-16 only in name", `<?xml version="1.0" encoding="UTF-16"?><a/>`, 415},
		{"too long a name", "<" + strings.Repeat("a", 257) + "/>", 400},
		{"too long a namespace", `<a xmlns="` + strings.Repeat("a", 1025) + `"/>`, 400},
		{"too long", "<a>" + strings.Repeat("x", 1<<20) + "</a>", 413},
	} {
		if _, err := Parse(strings.NewReader(c.in)); status(err) != c.status {
			t.Errorf("%s: got %v, want status %d", c.name, err, c.status)
		}
	}
}

func declarations(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, ` xmlns:p%d="u"`, i)
	}
	return b.String()
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + `=""`)
	}
	return b.String()
}

// status returns the status of an *Error, 0 for none and -1 for another error.
func status(err error) int {
	var e *Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.Status
	}
	return -1
}

func TestParseTooLargeByTheServersLimit(t *testing.T) {
	body := http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("<a>"+strings.Repeat("x", 100)+"</a>")), 50)
	if _, err := Parse(body); status(err) != 413 {
		t.Errorf("got %v, want 413", err)
	}
	if _, err := Parse(io.MultiReader(strings.NewReader("<a>"), brokenReader{})); status(err) != 400 {
		t.Errorf("a body that breaks off: got %v, want 400", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzParse compares with encoding/xml, which resolves names in its own way: what both read must have the same elements
// and texts, and what is written must be read as the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<a xmlns="u" xmlns:p="v" p:x="y">t<p:b/>u</a>`, `<a>&#13;<![CDATA[x]]></a>`, `<?xml version="1.0"?><a b="p:c" xmlns:p="q"/>`,
		`<p:a xmlns:p="u"><p:a xmlns:p="v"/></p:a>`, `<a xmlns=""><b xmlns="u"><c xmlns=""/></b></a>`, `<a xml:lang="de" xml:space="preserve"> </a>`,
		"\xff\xfe<\x00a\x00/\x00>\x00", `<!DOCTYPE a><a/>`, `<a b="&#10;&quot;"/>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := parseBytes(in, limits{1 << 16, 1000})
		if err != nil {
			if status(err) < 400 {
				t.Fatalf("error without a status: %v", err)
			}
			return
		}
		p := e.Prop()
		again, err := p.Element()
		if err != nil {
			t.Fatalf("%q was written as %q: %v", in, p.XML, err)
		}
		if got, want := outline(again), outline(e); got != want {
			t.Fatalf("%q was written as %q:\n got %s\nwant %s", in, p.XML, got, want)
		}
		if got, want := standardOutline(t, p.XML), outline(e); got != want {
			t.Fatalf("encoding/xml reads %q as\n     %s\nwant %s", p.XML, got, want)
		}
		if twice := again.Prop(); twice != p {
			t.Fatalf("not stable: %q, then %q", p.XML, twice.XML)
		}
	})
}

// outline is a form in which two trees are the same if the standards say so.
func outline(e *Element) string {
	var b strings.Builder
	var walk func(*Element)
	walk = func(e *Element) {
		b.WriteString("<{" + e.Name.Space + "}" + e.Name.Local)
		for _, a := range e.Attrs {
			b.WriteString(" {" + a.Name.Space + "}" + a.Name.Local + "=" + a.Value + ";")
		}
		b.WriteString(">")
		for _, n := range e.Nodes {
			if n.Element != nil {
				walk(n.Element)
			} else {
				b.WriteString(n.Text)
			}
		}
		b.WriteString("</>")
	}
	walk(e)
	return b.String()
}

// standardOutline is outline by encoding/xml.
func standardOutline(t *testing.T, s string) string {
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("encoding/xml: %v in %q", err, s)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			b.WriteString("<{" + tok.Name.Space + "}" + tok.Name.Local)
			for _, a := range tok.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					continue
				}
				b.WriteString(" {" + a.Name.Space + "}" + a.Name.Local + "=" + a.Value + ";")
			}
			b.WriteString(">")
		case xml.EndElement:
			b.WriteString("</>")
		case xml.CharData:
			b.Write(tok)
		}
	}
}
