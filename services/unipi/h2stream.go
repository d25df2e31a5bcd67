package unipi

import (
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// headers opens a stream, or ends the request of one with its trailers.
func (c *h2conn) headers(f *http2.MetaHeadersFrame) error {
	id := f.StreamID
	if id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if id <= c.last {
		return c.trailers(f)
	}
	c.last = id
	if c.full() {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeRefusedStream}
	}
	r, status := c.request(f)
	if status != 0 {
		if !f.StreamEnded() {
			c.bodies[id] = c.newBody(nil, r)
		}
		c.respond(id, plainError(status, nil), r, "")
		return c.noise.add()
	}
	if r == nil {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	if !f.StreamEnded() {
		if r.Method == http.MethodPost && r.URL.Path == WebhookPath {
			if c.wanted() == maxH2Bodies {
				return http2.StreamError{StreamID: id, Code: http2.ErrCodeRefusedStream}
			}
			c.bodies[id] = c.newBody(r, r)
			return nil
		}
		r.ContentLength = -1
	}
	p, user := c.site.reply(r)
	c.respond(id, p, r, user)
	if !f.StreamEnded() {
		// Of the body, which nobody wants, no more can come than fits the
		// stream's first window. (A reset would be right by RFC 9113, section 8.1,
		// but makes curl 7.88 lose the answer.)
		c.bodies[id] = c.newBody(nil, r)
		return c.noise.add()
	}
	return nil
}

// trailers end the request of a stream.
func (c *h2conn) trailers(f *http2.MetaHeadersFrame) error {
	id := f.StreamID
	b := c.bodies[id]
	switch {
	case b == nil && slices.Contains(c.resets[:], id): // the client does not know yet
		return c.noise.add()
	case b == nil:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case !f.StreamEnded() || len(f.PseudoFields()) > 0:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	return c.complete(id, b)
}

// full reports whether the client has as many streams open as it may.
func (c *h2conn) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing || len(c.sending)+len(c.bodies) >= maxStreams
}

// respond sends a response, or begins to.
func (c *h2conn) respond(id uint32, p *prepared, r *http.Request, user string) {
	empty := r.Method == http.MethodHead || p.size == 0
	c.mu.Lock()
	c.credit += h2PerRequest
	c.out = c.appendResponse(c.out, id, p, empty)
	var s *h2send
	switch {
	case empty:
	case p.stream != nil:
		s = &h2send{stream: id, more: true, queued: true, window: c.initial, moved: time.Now()}
	case p.size <= h2Inline && p.size <= c.window && p.size <= c.initial:
		c.window -= p.size
		c.credit += p.size / h2Worth
		c.moved = time.Now()
		c.out = appendBody(c.out, id, p.body, true)
	default:
		s = &h2send{stream: id, body: p.body, window: c.initial, moved: time.Now()}
	}
	if s != nil {
		c.sending = append(c.sending, s)
		c.wake.Broadcast()
	}
	c.mu.Unlock()
	sent := p.size
	if empty {
		sent = 0
	}
	c.site.log(r, p, user, sent)
	if s != nil && p.stream != nil {
		c.senders.Go(func() { c.bring(s, p) })
	}
}

// appendResponse appends the header of a response.
func (c *h2conn) appendResponse(b []byte, id uint32, p *prepared, end bool) []byte {
	block := p.fields
	if block == nil {
		block = p.appendBlock(nil)
	}
	if c.table == tableToEmpty {
		c.table = tableEmpty
		block = append([]byte{hpackEmptyTable}, block...)
	}
	date := httpDate(time.Now()).text
	flags := http2.FlagHeadersEndHeaders
	if end {
		flags |= http2.FlagHeadersEndStream
	}
	if len(block)+len(date)+3 > h2FrameData {
		return appendHeaders(b, id, appendHpackDate(slices.Clip(block), date), end)
	}
	b = appendFrame(b, http2.FrameHeaders, flags, id, len(block)+len(date)+3)
	return appendHpackDate(append(b, block...), date)
}

// appendHpackDate appends the Date field in len(date)+3 bytes.
func appendHpackDate(b []byte, date string) []byte {
	b = append(b, 0x0f, 33-15, byte(len(date)))
	return append(b, date...)
}

// appendBody appends a body as DATA frames.
func appendBody(b []byte, id uint32, body []byte, end bool) []byte {
	for {
		part := body[:min(len(body), h2FrameData)]
		body = body[len(part):]
		var flags http2.Flags
		if end && len(body) == 0 {
			flags = http2.FlagDataEndStream
		}
		b = append(appendFrame(b, http2.FrameData, flags, id, len(part)), part...)
		if len(body) == 0 {
			return b
		}
	}
}
