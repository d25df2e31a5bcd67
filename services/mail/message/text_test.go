package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecoded(t *testing.T) {
	for _, c := range []struct{ encoding, in, want string }{
		{"base64", "aGVsbG8gd29ybGQ=", "hello world"},
		{"BASE64 ", "aGVs\r\nbG8!#gd29y bGQ", "hello world"},
		{"base64", "aGVsbG8=IHdvcmxk", "hello world"},
		{"base64", "YQ", "a"},
		{"base64", "Y", ""},
		{"base64", "-_-_", "\xfb\xff\xbf"},
		{"quoted-printable", "a=3Db=\r\nc =20\r\n", "a=bc  \r\n"},
		{"quoted-printable", "trailing   \r\nspace", "trailing\r\nspace"},
		{"quoted-printable", "50=% =zz =4", "50=% =zz =4"},
		{"quoted-printable", "a=\nb\n", "ab\n"},
		{"Quoted-Printable", "=c3=a4", "ä"},
		{"8bit", "as it is\r\n", "as it is\r\n"},
		{"x-uuencode", "begin 644 x", "begin 644 x"},
		{"", "x", "x"},
	} {
		if got := string(decodeTransfer([]byte(c.in), c.encoding, 100)); got != c.want {
			t.Errorf("%s %q = %q, want %q", c.encoding, c.in, got, c.want)
		}
		for limit := range len(c.want) {
			if got := string(decodeTransfer([]byte(c.in), c.encoding, limit)); got != c.want[:limit] {
				t.Errorf("%s %q with the limit %d = %q, want %q", c.encoding, c.in, limit, got, c.want[:limit])
			}
		}
	}
}

func TestPartText(t *testing.T) {
	for _, c := range []struct{ head, body, want string }{
		{"text/plain", "a\r\nb\rc\x00\x07\n", "a\nb\nc\n"},
		{"text/plain; charset=iso-8859-15", "\xa4", "€"},
		{"text/plain; charset=utf-8", "a\xffb", "a\uFFFDb"},
		{"text/plain", "a\xffb", "aÿb"},
		{"text/plain; charset=us-ascii", "ä", "ä"},
		{"text/plain; charset=utf-16le", "a\x00\xac\x20", "a€"},
		{"text/plain; charset=ks_c_5601-1987", "\xb0\xa1", "가"},
		{"text/plain; charset=hz-gb-2312", "~{VPND~}", "中文"},
		{"text/plain; charset=x-nobody", "x", "x"},
		{"text/plain; format=flowed", "one \r\ntwo\r\n> three \r\n> four\r\n>> five\r\n-- \r\nalice\r\n", "one two\n> three four\n>> five\n-- \nalice\n"},
		{"text/plain; format=flowed; delsp=yes", "one \r\ntwo\r\n", "onetwo\n"},
		{"text/plain; format=flowed", "one \r\n-- \r\nalice", "one \n-- \nalice\n"},
		{"text/html", "<meta charset=iso-8859-5><p>\xbf\xe0", "Пр"},
		{"message/delivery-status", "Status: 5.1.1\r\n", "Status: 5.1.1\n"},
		{"application/pdf", "x", ""},
		{"image/png", "x", ""},
	} {
		p := Structure([]byte("Content-Type: " + c.head + "\r\n\r\n" + c.body))[0]
		if got := p.Text(1000); got != c.want {
			t.Errorf("%s %q is %q, want %q", c.head, c.body, got, c.want)
		}
		for limit := range len(c.want) {
			if got := p.Text(limit); len(got) > limit || !utf8.ValidString(got) {
				t.Errorf("%s %q with the limit %d is %q", c.head, c.body, limit, got)
			}
		}
	}
}

func TestHTMLText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<p>one<p>two</p>three", "one\n\ntwo\n\nthree"},
		{"a<br>b<br/>c<br><br>d", "a\nb\nc\n\nd"},
		{"<title>t</title><style>p{}</style><script>x<y</script>shown", "shown"},
		{"  much \n\t white&nbsp;  space ", "much white space"},
		{"<ul><li>a<li>b</ul>c", "* a\n* b\n\nc"},
		{"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
		{"<pre>a\n  b</pre>c", "a\n  b\nc"},
		{"<b>bo</b>ld &amp; &lt;x&gt; &eacute;&#8364;", "bold & <x> é€"},
		{"a <!-- hidden --> b", "a b"},
		{"<div>a</div><div>b</div>", "a\nb"},
		{"<a href=http://example.org>link</a>", "link"},
		{"never <closed", "never"},
		{"1 < 2", "1 < 2"},
		{"", ""},
	} {
		if got := HTMLText(c.in, 1000); got != c.want {
			t.Errorf("HTMLText(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestPreview(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"\n> quoted\nanswer  here\n-- \nalice", "answer here"},
		{"Content-Type: text/html\n\n<style>x</style><p>hello</p>", "hello"},
		{"Content-Type: application/pdf\n\nx", ""},
		{"\n" + strings.Repeat("ä", 300), strings.Repeat("ä", 200)},
		{nested, "one"},
		{"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Disposition: attachment\n\nno\n--a\n\nyes\n--a--", "yes"},
	} {
		if got := Preview([]byte(c.raw)); got != c.want {
			t.Errorf("Preview(%q) = %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestBaseSubject(t *testing.T) {
	for _, c := range []struct {
		in, want string
		reply    bool
	}{
		{"hello", "hello", false},
		{"Re: hello", "hello", true},
		{"RE : FW: re[2]: Fwd:hello", "hello", true},
		{"[list] hello", "hello", false},
		{"Re: [list] hello", "hello", true},
		{"[list] Re: hello (fwd) (FWD)", "hello", true},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"[Fwd: Re: hello]", "hello", true},
		{"[fwd: [list] hello]", "hello", true},
		{"Re:", "", true},
		{"  a \t b ", "a b", false},
		{"rebate: yes", "rebate: yes", false},
		{"re: [a", "[a", true},
		{"(fwd)", "", true},
		{"", "", false},
	} {
		got, reply := BaseSubject(c.in)
		if got != c.want || reply != c.reply {
			t.Errorf("BaseSubject(%q) = %q, %v, want %q, %v", c.in, got, reply, c.want, c.reply)
		}
	}
}

func FuzzBaseSubject(f *testing.F) {
	for _, s := range []string{"Re: [list] Fwd[3] : hello (fwd)", "[fwd: [fwd: x]]", "[[a]] re [x] :"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		base, _ := BaseSubject(s)
		if again, reply := BaseSubject(base); again != base || reply {
			t.Fatalf("the base of %q is %q and of that %q", s, base, again)
		}
	})
}

func FuzzHTMLText(f *testing.F) {
	f.Add("<p>one<br>two<pre> x </pre><!-- y --><script>z</script>&amp;", 50)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if got := HTMLText(s, limit); len(got) > max(0, limit) || !utf8.ValidString(got) {
			t.Fatalf("%q has %d bytes, at most %d were wanted", got, len(got), limit)
		}
	})
}
