package message

import (
	"strings"

	"golang.org/x/net/html"
)

// maxPage bounds how much of a page is looked at for links, in bytes.
const maxPage = 1 << 20

// Links returns where a part of text/html leads to and what it loads, as written,
// at most n of them: href, src, action and background of any element.
func (p *Part) Links(n int) []string {
	if !p.Leaf || p.Type != "text/html" {
		return nil
	}
	var links []string
	z := html.NewTokenizer(strings.NewReader(p.source(maxPage)))
	for len(links) < n {
		switch z.Next() {
		case html.ErrorToken:
			return links
		case html.StartTagToken, html.SelfClosingTagToken:
			links = appendLinks(links, z, n)
		}
	}
	return links
}

func appendLinks(links []string, z *html.Tokenizer, n int) []string {
	_, more := z.TagName()
	for more && len(links) < n {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "href", "src", "action", "background":
			if link := clean(string(value)); link != "" {
				links = append(links, link)
			}
		}
	}
	return links
}
