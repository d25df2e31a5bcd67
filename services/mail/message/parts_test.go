package message

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// nested is the example of RFC 9051 §6.4.5.1, more or less.
var nested = strings.ReplaceAll(`Content-Type: multipart/mixed; boundary="a"

preamble
--a
Content-Type: text/plain

one
--a
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/alternative; boundary=b

--b

two
--b  
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>gr=FC=DFe</p>
--b--
--a
Content-Type: message/rfc822
Content-Disposition: attachment; filename*0*=utf-8''%c3%a4; filename*1=".eml"

Subject: single

four
--a--
epilogue
--b
--a
`, "\n", "\r\n")

func TestParts(t *testing.T) {
	var got strings.Builder
	for p := range Parts([]byte(nested)) {
		fmt.Fprintf(&got, "%d %v %s %q %q %d\n", p.Depth, p.Path, p.Type, p.Text(100), p.Filename, p.Parent)
		if !bytes.HasSuffix(p.Raw, p.Body) {
			t.Errorf("part %v: the body is not the end of the part", p.Path)
		}
	}
	want := `0 [] multipart/mixed "" "" -1
1 [1] text/plain "one" "" 0
1 [2] message/rfc822 "" "" 0
2 [2] multipart/alternative "" "" 2
3 [2 1] text/plain "two" "" 3
3 [2 2] text/html "grüße" "" 3
1 [3] message/rfc822 "" "ä.eml" 0
2 [3 1] text/plain "four" "" 6
`
	if got.String() != want {
		t.Errorf("parts are\n%swant\n%s", got.String(), want)
	}
	if got, want := Text([]byte(nested), 1000), "one\ntwo\ngrüße\nfour\n"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	for limit := range 30 {
		if got := Text([]byte(nested), limit); len(got) > limit {
			t.Errorf("Text with the limit %d has %d bytes", limit, len(got))
		}
	}
}

func TestPartsAsFound(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"plain", "A: b\r\n\r\ntext", "[1] text/plain text"},
		{"no header", "\r\ntext", "[1] text/plain text"},
		{"type without a slash", "Content-Type: text\n\nx", "[1] text/plain x"},
		{"no boundary", "Content-Type: multipart/mixed\n\nx", "[1] text/plain x"},
		{"boundary that is not there", "Content-Type: multipart/mixed; boundary=a\n\nx\n--b\n", "[1] text/plain x\n--b\n"},
		{"never closed", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n", "[] multipart/mixed|[1] text/plain x\n"},
		{"empty part", "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\nx\n--a--", "[] multipart/mixed|[1] text/plain |[2] text/plain x"},
		{"header cut short", "Content-Type: multipart/mixed; boundary=a\n\n--a\nA: b\n--a--", "[] multipart/mixed|[1] text/plain "},
		{"inner never closed", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/x; boundary=b\n\n--b\n\nx\n--a\n\ny", "[] multipart/mixed|[1] multipart/x|[1 1] text/plain x|[2] text/plain y"},
		{"prefix of another boundary", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--ab\n--a--\n", "[] multipart/mixed|[1] text/plain --ab"},
		{"boundary that ends in hyphens", "Content-Type: multipart/mixed; boundary=a--\n\n--a--\n\nx\n--a----\n", "[] multipart/mixed|[1] text/plain x"},
		{"same boundary inside", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/x; boundary=a\n\n--a\n\nx\n--a--\n--a\n\ny\n--a--", "[] multipart/mixed|[1] multipart/x|[1 1] text/plain x|[2] text/plain y"},
		{"digest", "Content-Type: multipart/digest; boundary=a\n\n--a\n\nS: x\n\ny\n--a--", "[] multipart/digest|[1] message/rfc822|[1 1] text/plain y"},
		{"encoded message", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgoKeA==", "[1] message/rfc822 A: b\n\nx"},
	} {
		var got []string
		for p := range Parts([]byte(c.raw)) {
			s := fmt.Sprint(p.Path, " ", p.Type)
			if p.Leaf {
				s += " " + string(p.Decoded(100))
			}
			got = append(got, s)
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s: parts are %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParams(t *testing.T) {
	for _, c := range []struct{ in, kind, name, want string }{
		{`text/plain; charset="utf-8"`, "text/plain", "charset", "utf-8"},
		{`TEXT/Plain ; Charset=UTF-8 (comment); x`, "text/plain", "charset", "UTF-8 (comment)"},
		{`attachment; filename=a file.txt; size=3`, "attachment", "filename", "a file.txt"},
		{`attachment; filename="a\"b;c.txt"`, "attachment", "filename", `a"b;c.txt`},
		{`attachment; filename=x; filename*=utf-8''%e2%82%ac`, "attachment", "filename", "€"},
		{`attachment; filename*1=b; filename*0=a`, "attachment", "filename", "ab"},
		{`attachment; filename*0*=iso-8859-1'de'%fc; filename*1*=%df; filename*2=%41`, "attachment", "filename", "üß%41"},
		{`attachment; filename="=?utf-8?Q?=C3=A4.txt?="`, "attachment", "filename", "ä.txt"},
		{`attachment; filename*=nonsense`, "attachment", "filename", "nonsense"},
		{`attachment; filename*x=1; ; =2; filename=ok`, "attachment", "filename", "ok"},
		{`text/plain; a=1; a=2`, "text/plain", "a", "1"},
		{``, "", "x", ""},
	} {
		kind, params := Params(c.in)
		if kind != c.kind || params[c.name] != c.want {
			t.Errorf("Params(%q) = %q, %q, want %q, %s=%q", c.in, kind, params, c.kind, c.name, c.want)
		}
	}
}

// bombs are messages that are hard to read. That the tests end is what they show:
// in quadratic time they would not.
func bombs(size int) map[string][]byte {
	fill := func(head, unit, tail string) []byte {
		return []byte(head + strings.Repeat(unit, max(0, size-len(head)-len(tail))/len(unit)) + tail)
	}
	var deep strings.Builder
	for i := 0; deep.Len() < size; i++ {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=%d\n\n--%d\n", i, i)
	}
	mixed := "Content-Type: multipart/mixed; boundary=a\n\n"
	return map[string][]byte{
		"fields":            fill("", "A:\n", ""),
		"folds":             fill("A: x\n", " \n", ""),
		"one line":          fill("", "x", ""),
		"parts":             fill(mixed, "--a\n", ""),
		"parts with fields": fill(mixed, "--a\n"+strings.Repeat("A:\n", 1000), ""),
		"hyphens":           fill(mixed, "--\n", ""),
		"near boundaries":   fill(mixed, "--a-\n", ""),
		"deep":              []byte(deep.String()),
		"deep messages":     fill("", "Content-Type: message/rfc822\n\n", ""),
		"parameters":        fill("Content-Type: text/plain", ";a=b", "\n\nx"),
		"sections":          fill("Content-Type: text/plain", ";a*1=b", "\n\nx"),
		"comments":          fill("Content-Type: text/plain;", "(", "\n\nx"),
		"comments in To":    fill("To: ", "(", "\n\nx"),
		"commas in To":      fill("To: ", ",", "\n\nx"),
		"ats in To":         fill("To: ", "@", "\n\nx"),
		"angles in To":      fill("To: ", "<", "\n\nx"),
		"brackets in To":    fill("To: ", "[", "\n\nx"),
		"words in To":       fill("To: ", "a ", "\n\nx"),
		"dots in To":        fill("To: ", ". a", "\n\nx"),
		"groups in To":      fill("To: ", "a:", "\n\nx"),
		"backslashes in To": fill("To: ", "\"\\", "\n\nx"),
		"encoded words":     fill("Subject: ", "=?utf-8?Q?a?= ", "\n\nx"),
		"begun words":       fill("Subject: ", "=?x?b?z", "\n\nx"),
		"replies":           fill("Subject: ", "re:", "\n\nx"),
		"list names":        fill("Subject: ", "[a]", "\n\nx"),
		"forwards":          fill("Subject: ", "[fwd:", "\n\nx"),
		"forwards behind":   fill("Subject: ", "(fwd) ", "\n\nx"),
		"references":        fill("References: ", "<a>", "\n\nx"),
		"angles":            fill("References: ", "<", "\n\nx"),
		"tags":              fill("Content-Type: text/html\n\n", "<a>", ""),
		"begun tags":        fill("Content-Type: text/html\n\n", "<", ""),
		"begun comments":    fill("Content-Type: text/html\n\n", "<!--", ""),
		"begun ends":        fill("Content-Type: text/html\n\n<script>", "</", ""),
		"begun escapes":     fill("Content-Type: text/html\n\n<script>", "<!--<script", ""),
		"attributes":        fill("Content-Type: text/html\n\n<a ", "a=b ", ""),
		"entities":          fill("Content-Type: text/html\n\n", "&amp", ""),
		"lists":             fill("Content-Type: text/html\n\n", "<li>", ""),
		"quotations":        fill("Content-Type: text/plain; format=flowed\n\n", "> ", ""),
		"flowed lines":      fill("Content-Type: text/plain; format=flowed\n\n", "> \n>> \n", ""),
		"soft breaks":       fill("Content-Transfer-Encoding: quoted-printable\n\n", "=\n", ""),
		"padding":           fill("Content-Transfer-Encoding: base64\n\n", "A=", ""),
		"escape sequences":  fill("Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1b$B", ""),
	}
}

func TestBombs(t *testing.T) {
	size := 512 << 10
	if os.Getenv("CAIRN_LONG") != "" {
		size = 8 << 20
	}
	for name, raw := range bombs(size) {
		t.Run(name, func(t *testing.T) { readAll(t, raw) })
	}
}

// readAll calls every reader and checks what all of them promise.
func readAll(t *testing.T, raw []byte) {
	t.Helper()
	head, body := Split(raw)
	if len(head)+len(body) != len(raw) {
		t.Fatalf("head and body have %d and %d bytes of %d", len(head), len(body), len(raw))
	}
	h := ParseHeader(head)
	h.MessageID()
	h.References()
	h.Date()
	BaseSubject(h.Text("Subject"))
	if n := len(h.Addresses("To")); n > MaxAddresses {
		t.Errorf("%d addresses", n)
	}
	parts := Structure(raw)
	if len(parts) == 0 || len(parts) > MaxParts {
		t.Fatalf("%d parts", len(parts))
	}
	for i, p := range parts {
		if p.Depth >= MaxDepth || p.Parent >= i || i > 0 && (p.Parent < 0 || parts[p.Parent].Leaf) {
			t.Fatalf("part %d of %d has depth %d and parent %d", i, len(parts), p.Depth, p.Parent)
		}
	}
	if s := HeaderText(h, 1000); len(s) > 1000 {
		t.Errorf("HeaderText has %d bytes", len(s))
	}
	for _, limit := range []int{0, 100, len(raw)} {
		if s := Text(raw, limit); len(s) > limit || s != strings.ToValidUTF8(s, "") {
			t.Errorf("Text(%d) has %d bytes", limit, len(s))
		}
	}
	if s := []rune(Preview(raw)); len(s) > MaxPreview {
		t.Errorf("Preview has %d characters", len(s))
	}
	Inspect(raw)
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte(untidy))
	for _, raw := range bombs(300) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { readAll(t, raw) })
}
