package junk

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cairn/services/mail/message"
)

func (t *tokens) parts(raw []byte) {
	left := maxText
	for _, p := range message.Structure(raw) {
		t.add("type", p.Type)
		t.lower("encoding", p.Type+" "+p.Header.Get("Content-Transfer-Encoding"))
		if charset := p.Params["charset"]; charset != "" {
			t.lower("charset", charset)
		}
		if p.Filename != "" {
			t.lower("file", p.Filename[strings.LastIndexByte(p.Filename, '.')+1:])
		}
		if left <= 0 {
			continue
		}
		text := p.Text(left)
		left -= len(text)
		t.text("", text)
		for _, link := range p.Links(maxLinks) {
			t.link(link)
		}
	}
}

// text takes the words of a text. Those of less than three characters say little; of long ones, which
// hardly ever come again, the beginning and the length are taken.
func (t *tokens) text(kind, text string) {
	for f := range strings.FieldsSeq(text) {
		if i := strings.Index(f, "://"); i >= 0 {
			t.link(f[max(0, i-5):])
			continue
		}
		if len(f) > 1000 || utf8.RuneCountInString(f) < 3 {
			continue
		}
		f = strings.ToLower(f)
		w := strings.TrimFunc(f, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) && r != '$' })
		switch n := utf8.RuneCountInString(w); {
		case n == 0:
			continue
		case n > 20:
			if i := strings.IndexByte(w, '@'); i > 0 {
				t.add(kind+" mail", w[i+1:])
			}
			r, _ := utf8.DecodeRuneInString(w)
			w = string(r) + "…" + strconv.Itoa(n/10)
		}
		t.add(kind, w)
		if strings.HasSuffix(f, "!") {
			t.add(kind, w+"!")
		}
	}
}

// link takes an address on the web to pieces.
func (t *tokens) link(s string) {
	if t.links++; t.links > maxLinks {
		return
	}
	u, err := url.Parse(clip(strings.TrimRight(s, ".,;>)\"'"), 512))
	if err != nil {
		t.add("url", "broken")
		return
	}
	t.lower("url", u.Scheme+":")
	host := strings.ToLower(u.Hostname())
	for n := 0; host != "" && n < 8; n++ {
		t.add("url", host)
		_, host, _ = strings.Cut(host, ".")
	}
	if u.User != nil {
		t.add("url", "@")
	}
	if u.Port() != "" {
		t.add("url", "port")
	}
	n := 0
	for part := range strings.FieldsFuncSeq(u.Path+"?"+u.RawQuery, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if n++; n > 20 {
			return
		}
		t.lower("path", part)
	}
}
