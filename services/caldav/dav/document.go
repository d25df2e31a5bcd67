package dav

import (
	"bytes"
	"net/http"
	"strconv"
)

// Write answers with a document of that root: principal-search-property-set (RFC 3744 §9.5). The error is that of
// the connection.
func Write(w http.ResponseWriter, status int, root Name, content func(b *Builder)) error {
	var b Builder
	b.raw(xmlHead + "<")
	b.tag(root)
	b.raw(declareSpaces + ">")
	content(&b)
	b.End(root)
	b.raw("\n")
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(b.buf)))
	w.WriteHeader(status)
	_, err := w.Write(b.buf)
	return err
}

// WriteProp answers with a DAV:prop alone, as LOCK does (RFC 4918 §9.10.1).
func WriteProp(w http.ResponseWriter, status int, content func(b *Builder)) error {
	return Write(w, status, nameProp, content)
}

// RefuseMkcol answers MKCOL or, if calendar, MKCALENDAR that failed for what fill says of the
// properties (RFC 5689 §3, RFC 4791 §5.3.1). Nothing was made then.
func RefuseMkcol(w http.ResponseWriter, calendar bool, fill func(r *Response)) error {
	root := D("mkcol-response")
	if calendar {
		root = Cal("mkcalendar-response")
	}
	return Write(w, http.StatusForbidden, root, func(b *Builder) {
		r := &Response{b: b}
		fill(r)
		r.Done()
	})
}

// Values returns the properties that fill gives, as a client would read them: those that are there, right below one
// element.
func Values(fill func(r *Response)) (*Element, error) {
	var b Builder
	b.raw("<d:response" + declareSpaces + ">")
	r := &Response{b: &b, minimal: true, end: "</d:response>"}
	fill(r)
	r.found()
	r.Done()
	e, err := parse(bytes.NewReader(b.buf), limits{len(b.buf), len(b.buf)})
	return e.Child(D("propstat")).Child(nameProp), err
}

// Node writes text or an element of a body.
func (b *Builder) Node(n Node) {
	if n.Element != nil {
		n.Element.write(b, nil)
	} else {
		b.Text(n.Text)
	}
}
