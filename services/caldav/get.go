package caldav

import (
	"html/template"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"

	"cairn/services/caldav/dav"
)

// get answers GET and HEAD (RFC 9110 §9.3.1): the bytes as they were put, or a list
// for people of what is in a collection.
func (x *exchange) get() error {
	n, err := x.resolve(x.at)
	if err != nil {
		return err
	}
	if collections.has(n.kind) {
		return x.list(n)
	}
	h := x.w.Header()
	etag := n.etag()
	switch status := unchanged(x.r.Header, etag); status {
	case http.StatusNotModified:
		h.Set("ETag", etag)
		x.w.WriteHeader(status)
		return nil
	case http.StatusPreconditionFailed:
		return dav.Errorf(status, "it has changed since you saw it")
	}
	return x.content(n, http.StatusOK)
}

// content answers with the bytes of an object or file.
func (x *exchange) content(n *node, status int) error {
	var (
		size int64
		body io.ReadCloser
		data []byte
		err  error
	)
	if n.kind == file {
		if size, err = n.size(); err == nil && x.r.Method != "HEAD" {
			body, err = n.in.blobs.OpenBlob(x.ctx(), n.entry.Hash)
		}
	} else {
		data, err = n.col.Read(n.res)
		size = int64(len(data))
	}
	if err != nil {
		return err
	}
	h := x.w.Header()
	if tag, err := n.scheduleTag(); err == nil && tag != "" {
		h.Set("Schedule-Tag", tag)
	}
	h.Set("ETag", n.etag())
	h.Set("Content-Type", n.contentType())
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Cache-Control", "private, no-cache")
	inert(h)
	x.w.WriteHeader(status)
	switch {
	case x.r.Method == "HEAD":
	case body != nil:
		defer body.Close()
		if _, err := io.Copy(x.w, body); err != nil {
			panic(http.ErrAbortHandler) // too late for another answer
		}
	default:
		x.w.Write(data) // the client is away if this fails: nobody is left to tell
	}
	return nil
}

// inert keeps a browser from running what somebody has stored.
func inert(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
}

// A listed is a line of a list.
type listed struct{ Href, Name, Kind string }

var listPage = template.Must(template.New("list").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
li{overflow-wrap:anywhere}small{opacity:.7}</style>
<h1>{{.Title}}</h1>
{{if .Up}}<p><a href="{{.Up}}">↑ up</a></p>{{end}}
<ul>{{range .Items}}
<li><a href="{{.Href}}">{{.Name}}</a> <small>{{.Kind}}</small>{{else}}
<li>There is nothing here.{{end}}
</ul>
`))

// list shows what is in a collection.
func (x *exchange) list(n *node) error {
	page := struct {
		Title, Up string
		Items     []listed
	}{Title: n.title()}
	if n.kind != root {
		page.Up = strings.TrimSuffix(path.Dir(strings.TrimSuffix(n.href, "/")), "/") + "/"
	}
	err := x.members(n, false, func(c *node) error {
		page.Items = append(page.Items, listed{c.href, c.title(), kindNames[c.kind]})
		return nil
	})
	if err != nil {
		return err
	}
	h := x.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	inert(h)
	if x.r.Method == "HEAD" {
		return nil
	}
	return listPage.Execute(x.w, page)
}

var kindNames = map[kind]string{
	calendarHome: "calendars", contactHome: "contacts", calendar: "calendar", addressbook: "address book", folder: "folder",
	event: "calendar object", card: "card", file: "file", principal: "person", inbox: "inbox", outbox: "outbox",
}

// title is what people call a resource.
func (n *node) title() string {
	switch {
	case n.kind == root:
		return "Cairn"
	case n.kind == principal:
		return called(n.person)
	case ordered.has(n.kind) && n.displayName() != "":
		return n.displayName()
	case len(n.names) > 0:
		return n.names[len(n.names)-1]
	case n.user != "":
		return n.user
	}
	return n.space
}
