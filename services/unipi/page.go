package unipi

import (
	"bytes"
	"net/http"
	"sync/atomic"

	"cairn/store"
)

// A page is a file of the site as the response for one path: in each coding
// that it can be had in.
type page struct {
	status   int
	file     file
	modified string // Last-Modified, or empty
	base     head   // what all responses for it say, but for length and coding
	content  content
	contype  string

	siblings   [codings]*file // precompressed by the site's author
	squeezable bool           // by us
	tags       []string       // entity tags of all codings

	ready [codings]atomic.Pointer[prepared]
}

// maxBody is the largest file, in bytes, that is kept in memory.
const maxBody = 8 << 20

// newPage prepares a file to be shown with a status.
func (s *snapshot) newPage(f file, path string, status int, private bool) (*page, error) {
	p := &page{status: status, file: f, modified: s.modified}
	sample, err := s.load(p)
	if err != nil {
		return nil, err
	}
	compressible := false
	p.contype, compressible = mediaType(f.name, sample, p.content.open == nil)
	if status != http.StatusOK {
		p.modified = ""
	}
	p.squeezable = compressible && p.content.open == nil && f.size >= minSqueeze && f.size <= maxSqueeze
	p.addTags(f.hash)
	negotiable := p.squeezable
	look := &finder{tree: s.tree}
	for c, ext := range codingExt {
		if ext == "" {
			continue
		}
		// A link could lead to what other guards are over.
		if sib, ok := look.regular(f.name + ext); ok && sib.name == f.name+ext && status == http.StatusOK && sib.size <= maxBody {
			p.siblings[c] = &sib
			p.addTags(sib.hash)
			negotiable = true
		}
	}
	p.base = s.baseHead(p, path, negotiable, private)
	p.ready[identity].Store(p.prepare(identity, f.hash, p.content))
	return p, nil
}

// load brings the content of a page, and returns all of it or its beginning.
func (s *snapshot) load(p *page) (sample []byte, err error) {
	if p.content, err = s.content(p.file); err != nil || p.content.open == nil {
		return p.content.data, err
	}
	var b bytes.Buffer
	err = p.content.stream(func(from source) error { return from.copySpan(&b, span{0, sampleBytes}) })
	return b.Bytes(), err
}

// content reads a small file, and arranges for a large one to be opened later.
func (s *snapshot) content(f file) (c content, err error) {
	if c.size = f.size; f.size <= s.maxBody {
		c.data, _, err = s.tree.Blob(f.name)
		return c, err
	}
	c.open, c.hash, c.lend = s.opener(f.name), f.hash, &s.cache.lend
	return c, nil
}

func (p *page) addTags(h store.Hash) {
	for _, suffix := range etagSuffix {
		p.tags = append(p.tags, `"`+h.String()+suffix+`"`)
	}
}

func (p *page) matches(tag string) bool {
	for _, t := range p.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// baseHead is the header of a page before the length and the coding are known.
func (s *snapshot) baseHead(p *page, path string, negotiable, private bool) head {
	h := make(head, 0, 10)
	h.set("Content-Type", p.contype)
	h.set("X-Content-Type-Options", "nosniff")
	if p.status == http.StatusOK {
		h.set("Cache-Control", cacheControl(p.file.name))
		h.set("Accept-Ranges", "bytes")
		if p.modified != "" {
			h.set("Last-Modified", p.modified)
		}
	} else {
		h.set("Cache-Control", cacheCheck)
	}
	if negotiable {
		h.set("Vary", "Accept-Encoding")
	}
	s.finishHead(&h, path, private)
	return h
}

// prepare makes the response in one coding.
func (p *page) prepare(c coding, h store.Hash, body content) *prepared {
	r := &prepared{status: p.status, head: append(make(head, 0, len(p.base)+3), p.base...)}
	if c != identity {
		r.head.set("Content-Encoding", codingName[c])
	}
	body.fill(r, span{0, body.size})
	if p.status == http.StatusOK {
		r.etag = `"` + h.String() + etagSuffix[c] + `"`
		r.head.set("Etag", r.etag)
		r.not = p.unchanged(r.etag).keep()
	}
	return r.seal().keep()
}

// unchanged is the 304 for a representation (RFC 9110, section 15.4.5).
func (p *page) unchanged(etag string) *prepared {
	r := &prepared{status: http.StatusNotModified, head: append(head(nil), p.base...), etag: etag}
	for _, name := range []string{"Content-Type", "Accept-Ranges", "X-Content-Type-Options"} {
		r.head.remove(name)
	}
	if etag != "" {
		r.head.set("Etag", etag)
	}
	return r
}
