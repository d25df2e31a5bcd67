// Package look is what the pages that Cairn makes itself have in common: colours,
// type, buttons and the cairn at the top. A page puts Style's element into its head
// and the source into its Content-Security-Policy:
//
//	element, source := look.Style(".mine{color:var(--ink)}")
//	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+source)
//
// Pages work without scripts, in light and dark, on a phone and on a desktop; text
// has a contrast of 4.5:1 or more (WCAG 2.2 §1.4.3).
package look

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

//go:embed look.css
var css string

// Style returns the style sheet, followed by more, as the element for a page's
// head, and the source that allows it in a Content-Security-Policy (CSP Level 3
// §2.3.1). more is the program's own text: it is not escaped.
func Style(more string) (element template.HTML, source string) {
	text := css + more
	sum := sha256.Sum256([]byte(text))
	return template.HTML("<style>" + text + "</style>"), "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Logo is a cairn, in the colour of the text around it.
const Logo template.HTML = `<svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><ellipse cx="16" cy="26.5" rx="13" ry="3.5"/><ellipse cx="16.5" cy="18.7" rx="9.5" ry="3.2"/><ellipse cx="15.5" cy="11.6" rx="6.5" ry="2.8"/><ellipse cx="16.3" cy="5.6" rx="3.6" ry="2.2"/></svg>`
