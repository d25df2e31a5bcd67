package unipi

import (
	_ "embed" // what the pages have in common
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync"
)

// pageSource is a page with {title} and {main}. These pages are put together by hand: a
// template finds methods by name, and with one program keeps every method of every type.
//
//go:embed page.html
var pageSource string

// A notice is what the pages say that the service itself shows.
type notice struct {
	Code    int // shown large; 0: not shown
	Title   string
	Text    string
	Address string   // of the site, on the first page
	Steps   []string // commands to paste, on the first page
}

// notices are the texts of the errors that a reader can meet.
var notices = map[int]notice{
	400: {Title: "This address is not valid", Text: "It holds characters that no page of this site can have."},
	401: {Title: "Log in to see this page", Text: "This part of the site asks for a name and a password."},
	404: {Title: "There is nothing here", Text: "The page may have moved or been renamed, or the address may be mistyped."},
	405: {Title: "Pages can only be read", Text: "This address answers GET and HEAD."},
	410: {Title: "This page is gone", Text: "It has been taken down on purpose."},
	412: {Title: "The page has changed", Text: "The version that was asked for is not the current one."},
	414: {Title: "This address is too long", Text: "No page of this site has an address of that length."},
	416: {Title: "That part does not exist", Text: "The range that was asked for lies beyond the end of the file."},
	421: {Title: "No site has this name", Text: "This server does not know the host name that it was asked for."},
	429: {Title: "Too many attempts", Text: "Wait a little before you try the password again."},
	503: {Title: "Try again in a moment", Text: "The page could not be read just now."},
}

// pageHead is the header of the service's own pages: nothing from elsewhere
// may run in them, and nobody keeps them.
var pageHead = head{
	{"Content-Type", []string{"text/html; charset=utf-8"}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"X-Robots-Tag", []string{"noindex"}},
	{"Cache-Control", []string{"no-store"}},
}

// render makes the page that a notice describes.
func (n notice) render(status int) *prepared {
	title, main := html.EscapeString(n.Title), n.main()
	if n.Code != 0 {
		title = fmt.Sprintf("%d · %s", n.Code, title)
	}
	page := strings.NewReplacer("{title}", title, "{main}", main).Replace(pageSource)
	p := &prepared{status: status, head: append(head(nil), pageHead...), body: []byte(page)}
	return p.seal()
}

// main is what the page says.
func (n notice) main() string {
	var b strings.Builder
	if n.Code != 0 {
		fmt.Fprintf(&b, "<p class=\"code\">%d</p>\n", n.Code)
	}
	fmt.Fprintf(&b, "<h1>%s</h1>\n", html.EscapeString(n.Title))
	if n.Address != "" {
		address := html.EscapeString(n.Address)
		fmt.Fprintf(&b, "<p class=\"address\"><a href=\"%s\">%s</a></p>\n", address, address)
	}
	fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(n.Text))
	if len(n.Steps) > 0 {
		fmt.Fprintf(&b, "<pre>%s\n</pre>\n", html.EscapeString(strings.Join(n.Steps, "\n")))
	}
	return b.String()
}

// errorPages are the errors as pages, by status, made when the first is shown.
var errorPages = sync.OnceValue(func() map[int]*prepared {
	m := map[int]*prepared{}
	for status, n := range notices {
		n.Code = status
		m[status] = n.render(status)
	}
	for status, p := range m {
		switch status {
		case http.StatusMethodNotAllowed:
			p.head.set("Allow", "GET, HEAD, OPTIONS")
		case http.StatusServiceUnavailable:
			p.head.set("Retry-After", "5")
		}
	}
	return m
})

// errorPage returns the service's own page for a status.
func errorPage(status int) *prepared {
	pages := errorPages()
	if p := pages[status]; p != nil {
		return p
	}
	return pages[http.StatusBadRequest]
}

// plainError is an error about one representation, for programs rather than
// readers.
func plainError(status int, base head) *prepared {
	p := &prepared{status: status, head: append(head(nil), base...), body: []byte(http.StatusText(status) + "\n")}
	p.head.set("Content-Type", "text/plain; charset=utf-8")
	p.head.set("Cache-Control", "no-store")
	p.head.remove("Last-Modified")
	return p.seal()
}

// FirstPage is what a site without content shows: its address and the
// commands that fill it. It is public: nothing in it may be a secret.
type FirstPage struct {
	Address string
	Steps   []string // commands, one a line
}

func (f FirstPage) render(status int) *prepared {
	return notice{
		Title:   "This site is ready",
		Text:    "Nothing has been pushed to it yet. From the folder that holds your pages:",
		Address: f.Address,
		Steps:   f.Steps,
	}.render(status)
}
