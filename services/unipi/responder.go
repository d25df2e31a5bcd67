package unipi

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// A replier answers requests with prepared responses. Site and Sites are.
type replier interface {
	reply(*http.Request) (p *prepared, user string)
	log(r *http.Request, p *prepared, user string, bytes int64)
}

// A responder answers plain requests of one connection without net/http. What
// it needs for one request is used again for the next: repliers keep nothing
// of a request.
type responder struct {
	site   replier
	hosts  map[string]http.Handler // that site does not answer for
	remote string
	tls    *tls.ConnectionState

	req    http.Request
	url    url.URL
	header http.Header
	out    []byte
	pieces net.Buffers
}

// plain reports whether a request is one that a responder may answer.
func (h *requestHead) plain() bool {
	return !h.special && h.minor == 1 && (h.method == http.MethodGet || h.method == http.MethodHead)
}

// answer writes the response to a request whose body is empty. done is false
// when net/http should have it after all; nothing has been written then.
func (f *responder) answer(c *conn, h *requestHead) (done bool, err error) {
	if len(f.hosts) > 0 {
		if _, other := f.hosts[canonicalHost(h.host)]; other {
			return false, nil
		}
	}
	if !f.prepare(h) {
		return false, nil
	}
	p, user := f.site.reply(&f.req)
	n, err := f.write(c, p, h.method == http.MethodHead)
	f.site.log(&f.req, p, user, n)
	return true, err
}

// prepare makes an http.Request of a head.
func (f *responder) prepare(h *requestHead) bool {
	if plainTarget(h.target) {
		f.url = url.URL{Path: h.target}
	} else {
		u, err := url.ParseRequestURI(h.target)
		if err != nil || u.Host != "" || u.Scheme != "" || u.Path == "" || u.Path[0] != '/' {
			return false
		}
		f.url = *u
	}
	if f.header == nil {
		f.header = make(http.Header, wantedFields)
	}
	clear(f.header)
	for i, name := range wantedNames {
		if h.present[i] {
			f.header[name] = h.fields[i : i+1 : i+1]
		}
	}
	f.req = http.Request{
		Method: h.method, URL: &f.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: f.header, Host: h.host, RequestURI: h.target, RemoteAddr: f.remote, TLS: f.tls, Body: http.NoBody,
	}
	return true
}

// plainTarget reports whether a target is a path without anything to decode.
func plainTarget(s string) bool {
	if s[0] != '/' || len(s) > 1 && s[1] == '/' {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '-' && c <= '9', c >= 'A' && c <= 'Z', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// smallBody is up to where a body is copied behind its head, so that both go
// out in one write and, encrypted, in one record.
const smallBody = 15 << 10

func (f *responder) write(c *conn, p *prepared, headOnly bool) (int64, error) {
	f.out = append(f.out[:0], p.block...)
	if p.block == nil {
		f.out = p.appendHead(f.out)
	}
	f.out = append(f.out, httpDate(time.Now()).line...)
	f.out = append(f.out, "\r\n"...)
	if headOnly || p.size == 0 {
		_, err := c.Write(f.out)
		return 0, err
	}
	if p.stream != nil {
		if _, err := c.Write(f.out); err != nil {
			return 0, err
		}
		return p.writeBody(c)
	}
	head := len(f.out)
	if len(p.body) <= smallBody {
		f.out = append(f.out, p.body...)
		n, err := c.Write(f.out)
		return int64(max(n-head, 0)), err
	}
	n, err := f.writeLarge(c, p.body)
	return int64(max(n-head, 0)), err
}

// writeLarge sends the head and a body that is not worth copying.
func (f *responder) writeLarge(c *conn, body []byte) (n int, err error) {
	first := body[:min(len(body), pieceBytes)]
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		c.writeWithin(c.limits.Stall)
		f.pieces = append(f.pieces[:0], f.out, first)
		pieces := f.pieces
		sent, err := pieces.WriteTo(tcp)
		if n = int(sent); err != nil {
			return n, err
		}
	} else {
		first = body[:smallBody]
		f.out = append(f.out, first...)
		if n, err = c.Write(f.out); err != nil {
			return n, err
		}
	}
	m, err := c.Write(body[len(first):])
	return n + m, err
}

// appendHead appends the status line and the fields, without Date and the
// empty line.
func (p *prepared) appendHead(b []byte) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(p.status)...)
	b = append(b, "\r\n"...)
	for _, f := range p.head {
		for _, v := range f.values {
			b = append(b, f.name...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, "\r\n"...)
		}
	}
	return b
}

// A date is the current second as HTTP writes it.
type date struct {
	second int64
	text   string
	line   string // "Date: …\r\n"
}

var lastDate atomic.Pointer[date]

func httpDate(now time.Time) *date {
	d := lastDate.Load()
	if d == nil || d.second != now.Unix() {
		text := now.UTC().Format(http.TimeFormat)
		d = &date{now.Unix(), text, "Date: " + text + "\r\n"}
		lastDate.Store(d)
	}
	return d
}
