package dav

import (
	"net/http"
	"strconv"
)

// flushAt is how much XML is gathered before it goes out.
const flushAt = 32 << 10

// Multistatus streams a 207 answer (RFC 4918 §13). Memory is bounded by the largest single response. Nothing, not even
// the status, goes out before the first 32 KiB are there or Close is called, so that an error found early
// can still be answered as such: see Started. Not for concurrent use.
type Multistatus struct {
	// Minimal leaves out properties that were not found (Prefer: return=minimal, RFC 8144 §2.1).
	Minimal bool

	w       http.ResponseWriter
	b       Builder
	r       Response
	started bool
	err     error
}

// NewMultistatus starts an answer. Headers may be set until the first bytes go out.
func NewMultistatus(w http.ResponseWriter) *Multistatus {
	m := &Multistatus{w: w}
	m.b.buf = make([]byte, 0, flushAt+flushAt/4)
	m.b.raw(xmlHead + `<d:multistatus` + declareSpaces + `>`)
	m.r.b = &m.b
	return m
}

// Response begins what is said of one resource by its properties; href is escaped already. It holds until Done,
// which must come before the next.
func (m *Multistatus) Response(href string) *Response {
	m.flush(flushAt)
	m.b.raw("\n<d:response>")
	m.b.Href(href)
	m.r.end = "</d:response>"
	m.r.minimal = m.Minimal
	return &m.r
}

// Status says of one resource only how the request ended for it; err may be nil and adds its precondition and text.
func (m *Multistatus) Status(href string, code int, err *Error) {
	m.flush(flushAt)
	m.b.raw("\n<d:response>")
	m.b.Href(href)
	m.b.status(code)
	m.b.why(err)
	m.b.raw("</d:response>")
}

// SyncToken adds the DAV:sync-token of a sync-collection answer (RFC 6578 §6.4).
func (m *Multistatus) SyncToken(token string) { m.b.Element(D("sync-token"), token) }

// Started reports whether bytes went out, so that the status can no longer be changed.
func (m *Multistatus) Started() bool { return m.started }

// Err returns the first error of the connection, for loops that would work on for nobody.
func (m *Multistatus) Err() error { return m.err }

// Close ends the answer and sends what is left. It returns the first error of the connection.
func (m *Multistatus) Close() error {
	m.b.raw("\n</d:multistatus>\n")
	if !m.started {
		m.w.Header().Set("Content-Length", strconv.Itoa(len(m.b.buf)))
	}
	m.flush(1)
	return m.err
}

// flush sends what is there if it is at least min bytes.
func (m *Multistatus) flush(min int) {
	if len(m.b.buf) < min {
		return
	}
	if !m.started {
		m.started = true
		m.w.Header().Set("Content-Type", contentType)
		m.w.WriteHeader(http.StatusMultiStatus)
	}
	if m.err == nil {
		_, m.err = m.w.Write(m.b.buf)
	}
	m.b.buf = m.b.buf[:0]
}

func (b *Builder) status(code int) {
	b.raw("<d:status>HTTP/1.1 ")
	b.buf = strconv.AppendInt(b.buf, int64(code), 10)
	b.raw(" ")
	b.raw(http.StatusText(code))
	b.raw("</d:status>")
}
