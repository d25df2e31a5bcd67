package unipi

import (
	"crypto/rand"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// choose returns the response in the coding that the client likes best among
// those that can be had now. While another request compresses the file, the
// others get it as it is.
func (p *page) choose(accept []string, c *Cache, key routeKey) *prepared {
	plain := p.ready[identity].Load()
	if len(accept) == 0 || !p.squeezable && p.siblings == [codings]*file{} {
		return plain
	}
	pref := parseAccept(strings.Join(accept, ","))
	takesPlain := false
	for _, as := range pref.list[:pref.n] {
		takesPlain = takesPlain || as == identity
	}
	for _, as := range pref.list[:pref.n] {
		if as == identity {
			return plain
		}
		if r := p.coded(as, c, key, !takesPlain); r != nil {
			return r
		}
	}
	return plain
}

// none stands for a coding that would make a page no smaller.
var none = &prepared{}

// coded returns the response in a coding other than identity, or nil.
func (p *page) coded(as coding, c *Cache, key routeKey, wait bool) *prepared {
	if r := p.ready[as].Load(); r == none {
		return nil
	} else if r != nil {
		return r
	}
	r := none
	if sib := p.siblings[as]; sib != nil {
		c, err := key.snap.content(*sib)
		if err != nil {
			return nil
		}
		r = p.prepare(as, sib.hash, c)
	} else if p.squeezable {
		data, ready := c.coded.squeeze(codedKey{p.file.hash, as}, p.content.data, wait)
		if !ready {
			return nil
		}
		if data != nil {
			r = p.prepare(as, p.file.hash, content{data: data, size: int64(len(data))})
		}
	}
	p.ready[as].Store(r)
	if r == none {
		return nil
	}
	c.routes.charge(key, int64(len(r.body)))
	return r
}

// answer applies the conditions and ranges of a request to the page.
func (p *page) answer(r *http.Request, c *Cache, key routeKey) *prepared {
	wantsRange := r.Header["Range"] != nil && r.Method == http.MethodGet && p.status == http.StatusOK
	var whole *prepared
	if wantsRange {
		whole = p.ready[identity].Load()
	} else {
		whole = p.choose(r.Header["Accept-Encoding"], c, key)
	}
	if p.status != http.StatusOK {
		return whole
	}
	switch v, tag := judge(r.Header, p.modified, p.matches); {
	case v == notModified && (tag == "" || tag == whole.etag):
		return whole.not
	case v == notModified:
		return p.unchanged(tag)
	case v == preconditionFailed:
		return plainError(http.StatusPreconditionFailed, p.base)
	}
	if !wantsRange {
		return whole
	}
	if !rangeHolds(r.Header, whole.etag, p.modified) {
		return p.choose(r.Header["Accept-Encoding"], c, key)
	}
	spans, err := parseRange(r.Header["Range"][0], p.content.size)
	switch {
	case p.content.open != nil && !ascending(spans): // each step back means to begin anew
	case err == nil:
		return p.partial(spans, whole)
	case err == errRange:
		e := plainError(http.StatusRequestedRangeNotSatisfiable, p.base)
		e.head.set("Content-Range", "bytes */"+strconv.FormatInt(p.content.size, 10))
		return e
	}
	return p.choose(r.Header["Accept-Encoding"], c, key)
}

// partial is the 206 for one or several spans (RFC 9110, section 15.3.7).
func (p *page) partial(spans []span, whole *prepared) *prepared {
	r := &prepared{status: http.StatusPartialContent, head: append(head(nil), whole.head...), etag: whole.etag}
	if len(spans) == 1 {
		r.head.set("Content-Range", spans[0].contentRange(p.content.size))
		p.content.fill(r, spans[0])
		return r.seal()
	}
	boundary := rand.Text()
	r.head.set("Content-Type", "multipart/byteranges; boundary="+boundary)
	parts := make([]string, len(spans))
	end := "\r\n--" + boundary + "--\r\n"
	r.size = int64(len(end))
	for i, s := range spans {
		parts[i] = "\r\n--" + boundary + "\r\nContent-Type: " + p.contype +
			"\r\nContent-Range: " + s.contentRange(p.content.size) + "\r\n\r\n"
		if i == 0 {
			parts[i] = parts[i][2:]
		}
		r.size += int64(len(parts[i])) + s.length
	}
	r.stream = func(w io.Writer) error {
		return p.content.use(r.size, func(from source) error {
			for i, s := range spans {
				if _, err := io.WriteString(w, parts[i]); err != nil {
					return err
				}
				if err := from.copySpan(w, s); err != nil {
					return err
				}
			}
			_, err := io.WriteString(w, end)
			return err
		})
	}
	return r.seal()
}
