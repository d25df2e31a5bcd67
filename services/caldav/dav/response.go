package dav

import "net/http"

// Response is the properties of one resource, grouped by status (RFC 4918 §14.22). Those that are there are
// written as they come; the others are gathered and follow.
type Response struct {
	b       *Builder
	end     string // closes what holds the propstats
	minimal bool
	open    bool // a propstat with status 200 is open
	refused []refusal
}

// refusal is a property that is not there, or cannot be had or set.
type refusal struct {
	name   Name
	status int
	err    *Error
	done   bool // written, in the group of an earlier one
}

// Response begins a response within a property, as expand-property has them (RFC 3253 §3.8). Nothing else may go
// into b before its Done.
func (b *Builder) Response(href string) *Response {
	b.raw("<d:response>")
	b.Href(href)
	return &Response{b: b, end: "</d:response>"}
}

// Text gives a property that holds text.
func (r *Response) Text(n Name, value string) {
	r.found()
	r.b.Element(n, value)
}

// Hrefs gives a property that holds DAV:href elements, escaped already.
func (r *Response) Hrefs(n Name, hrefs ...string) {
	r.found()
	r.b.Start(n)
	for _, h := range hrefs {
		r.b.Href(h)
	}
	r.b.End(n)
}

// Empty gives a property without a value; all of propname is such.
func (r *Response) Empty(n Name) {
	r.found()
	r.b.Empty(n)
}

// Inner gives a property whose content was made by Build.
func (r *Response) Inner(n Name, xml string) {
	r.found()
	r.b.Start(n)
	r.b.raw(xml)
	r.b.End(n)
}

// Value gives a property whose content value makes.
func (r *Response) Value(n Name, value func(b *Builder)) {
	r.found()
	r.b.Start(n)
	value(r.b)
	r.b.End(n)
}

// Data gives a property that holds text, with attributes: calendar-data and address-data.
func (r *Response) Data(n Name, value []byte, attrs ...Attr) {
	r.found()
	r.b.Start(n, attrs...)
	r.b.buf = appendEscaped(r.b.buf, value, &textSpecial)
	r.b.End(n)
}

// Missing says that the resource has no such property.
func (r *Response) Missing(n Name) {
	if !r.minimal {
		r.Refuse(n, http.StatusNotFound, nil)
	}
}

// Refuse says why a property cannot be read or written. err may be nil and adds its precondition and text.
func (r *Response) Refuse(n Name, status int, err *Error) {
	r.refused = append(r.refused, refusal{name: n, status: status, err: err})
}

func (r *Response) found() {
	if !r.open {
		r.open = true
		r.b.raw("<d:propstat><d:prop>")
	}
}

// Done ends the response. One without any property still has a propstat.
func (r *Response) Done() {
	if len(r.refused) == 0 {
		r.found()
	}
	if r.open {
		r.open = false
		r.b.raw("</d:prop>")
		r.b.status(http.StatusOK)
		r.b.raw("</d:propstat>")
	}
	for i := range r.refused {
		if !r.refused[i].done {
			r.group(i)
		}
	}
	clear(r.refused)
	r.refused = r.refused[:0]
	r.b.raw(r.end)
}

// group writes all properties that share the status and error of number i.
func (r *Response) group(i int) {
	status, err := r.refused[i].status, r.refused[i].err
	r.b.raw("<d:propstat><d:prop>")
	for j := i; j < len(r.refused); j++ {
		if f := &r.refused[j]; f.status == status && f.err == err {
			f.done = true
			r.b.Empty(f.name)
		}
	}
	r.b.raw("</d:prop>")
	r.b.status(status)
	r.b.why(err)
	r.b.raw("</d:propstat>")
}
