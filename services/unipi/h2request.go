package unipi

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
)

// An h2body is the body of a request that is still coming.
type h2body struct {
	req   *http.Request // to be answered when it has come: a webhook's; else nil
	data  bytes.Buffer
	left  int64 // what Content-Length promises; negative: nothing
	until time.Time
}

func (c *h2conn) newBody(req, r *http.Request) *h2body {
	b := &h2body{req: req, left: -1, until: time.Now().Add(maxH2Stalls * c.limits.Stall)}
	if v := r.Header["Content-Length"]; v != nil {
		b.left = number(v[0])
	}
	return b
}

// wanted counts the bodies that are kept.
func (c *h2conn) wanted() (n int) {
	for _, b := range c.bodies {
		if b.req != nil {
			n++
		}
	}
	return n
}

// Limits of bodies of requests over HTTP/2: the bytes of one, how many may be
// coming at once, and how long one may take, in Limits.Stall.
const (
	maxH2Body   = 1 << 20
	maxH2Bodies = 4
	maxH2Stalls = 5
)

// request makes an http.Request of a header. It is nil for one that is malformed
// (RFC 9113, section 8.1.1); status refuses one that is too large.
func (c *h2conn) request(f *http2.MetaHeadersFrame) (r *http.Request, status int) {
	r = &http.Request{
		Method: f.PseudoValue("method"), Host: f.PseudoValue("authority"), RequestURI: f.PseudoValue("path"),
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: make(http.Header, 8), Body: http.NoBody, RemoteAddr: c.remote, TLS: c.tls, URL: &url.URL{},
	}
	if f.Truncated || len(f.Fields) > maxHeadFields {
		return r, http.StatusRequestHeaderFieldsTooLarge
	}
	if f.PseudoValue("scheme") == "" || !isToken(r.Method) || !printable(r.RequestURI) || f.PseudoValue("status") != "" {
		return nil, 0
	}
	hosts := 0
	for _, field := range f.RegularFields() {
		switch field.Name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			return nil, 0
		case "te":
			if field.Value != "trailers" {
				return nil, 0
			}
		case "content-length":
			n := field.Value
			if n == "" || len(n) > 18 || !digits(n) || f.StreamEnded() && number(n) != 0 || r.Header["Content-Length"] != nil {
				return nil, 0
			}
		case "host":
			if hosts++; hosts > 1 || r.Host != "" && r.Host != field.Value {
				return nil, 0
			}
			r.Host = field.Value
			continue
		}
		name := http.CanonicalHeaderKey(field.Name)
		r.Header[name] = append(r.Header[name], field.Value)
	}
	if !httpguts.ValidHostHeader(r.Host) {
		return nil, 0
	}
	if r.RequestURI == "*" {
		r.URL.Path = "*"
		return r, 0
	}
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || r.RequestURI[0] != '/' {
		return r, http.StatusBadRequest
	}
	r.URL = u
	return r, 0
}

// data takes a piece of a request's body. What is not wanted any more is
// counted and forgotten.
func (c *h2conn) data(f *http2.DataFrame) error {
	id := f.StreamID
	if id > c.last || id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	size := f.Length
	b := c.bodies[id]
	c.append(func(out []byte) []byte {
		if size > 0 {
			out = appendWindow(out, 0, size)
		}
		if size > 0 && b != nil && b.req != nil && !f.StreamEnded() {
			out = appendWindow(out, id, size)
		}
		return out
	})
	switch {
	case b == nil && slices.Contains(c.resets[:], id): // the client does not know yet
		return c.noise.add()
	case b == nil:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
	case b.left >= 0 && b.left < int64(len(f.Data())):
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	case b.left >= 0:
		b.left -= int64(len(f.Data()))
	}
	if b.req == nil || len(f.Data()) == 0 && !f.StreamEnded() {
		if err := c.noise.add(); err != nil || !f.StreamEnded() {
			return err
		}
		return c.complete(id, b)
	}
	if b.data.Len()+len(f.Data()) > maxH2Body {
		c.respond(id, plainError(http.StatusRequestEntityTooLarge, nil), b.req, "")
		b.req, b.data = nil, bytes.Buffer{}
		if f.StreamEnded() {
			delete(c.bodies, id)
		}
		return c.noise.add() // rather than reset: see headers
	}
	b.data.Write(f.Data())
	if f.StreamEnded() {
		return c.complete(id, b)
	}
	return nil
}

// complete answers a request whose body has come.
func (c *h2conn) complete(id uint32, b *h2body) error {
	delete(c.bodies, id)
	if b.left > 0 {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	if b.req == nil {
		return nil
	}
	b.req.ContentLength = int64(b.data.Len())
	b.req.Body = io.NopCloser(&b.data)
	p, user := c.site.reply(b.req)
	c.respond(id, p, b.req, user)
	return nil
}
