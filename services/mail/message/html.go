package message

import (
	"bytes"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLText returns what a page of HTML, in UTF-8, says, at most limit bytes: no
// markup, scripts or styles, white space as a browser would show it.
func HTMLText(page string, limit int) string {
	t := htmlText{limit: max(0, limit)}
	z := html.NewTokenizer(strings.NewReader(page))
	for t.out.Len() < limit {
		switch z.Next() {
		case html.ErrorToken:
			return t.string()
		case html.TextToken:
			t.text(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			t.open(atom.Lookup(name))
		case html.EndTagToken:
			name, _ := z.TagName()
			t.close(atom.Lookup(name))
		}
	}
	return t.string()
}

// An htmlText writes text as the tags come.
type htmlText struct {
	out    bytes.Buffer
	limit  int
	space  bool      // white space was seen and not written yet
	breaks int       // line feeds that have to be written before the next text
	hidden atom.Atom // the element whose content is not shown
	pre    int       // how many <pre> are open
}

func (t *htmlText) string() string {
	return cut(cleanLines(strings.ToValidUTF8(t.out.String(), "\uFFFD")), t.limit)
}

func (t *htmlText) open(tag atom.Atom) {
	switch tag {
	case atom.Script, atom.Style, atom.Title:
		t.hidden = tag
	case atom.Br:
		t.line(t.breaks + 1)
	case atom.Td, atom.Th, atom.Img:
		t.space = true
	case atom.Li:
		t.line(1)
		t.text([]byte("* "))
	case atom.Pre:
		t.pre++
		t.line(1)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol:
		t.line(2)
	default:
		if block(tag) {
			t.line(1)
		}
	}
}

func (t *htmlText) close(tag atom.Atom) {
	switch tag {
	case t.hidden:
		t.hidden = 0
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol:
		t.line(2)
	case atom.Pre:
		t.pre = max(0, t.pre-1)
		t.line(1)
	default:
		if block(tag) {
			t.line(1)
		}
	}
}

func block(tag atom.Atom) bool {
	switch tag {
	case atom.Div, atom.Tr, atom.Table, atom.Hr, atom.Dt, atom.Dd, atom.Dl, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Form, atom.Body, atom.Center, atom.Address, atom.Option, atom.Li:
		return true
	}
	return false
}

// line makes the next text begin on a new line; with n 2 after an empty one.
func (t *htmlText) line(n int) { t.breaks, t.space = min(2, max(t.breaks, n)), false }

func (t *htmlText) text(b []byte) {
	if t.hidden != 0 {
		return
	}
	if t.pre > 0 {
		t.word(b)
		return
	}
	for len(b) > 0 {
		word := bytes.TrimLeftFunc(b, unicode.IsSpace)
		if len(word) < len(b) {
			t.space = true
		}
		end := bytes.IndexFunc(word, unicode.IsSpace)
		if end < 0 {
			end = len(word)
		}
		if end > 0 {
			t.word(word[:end])
		}
		b = word[end:]
	}
}

// word writes b with the breaks and the space that are due.
func (t *htmlText) word(b []byte) {
	switch {
	case t.out.Len() == 0:
	case t.breaks > 0:
		t.out.WriteString("\n\n"[:t.breaks])
	case t.space:
		t.out.WriteByte(' ')
	}
	t.breaks, t.space = 0, false
	t.out.Write(b)
}
