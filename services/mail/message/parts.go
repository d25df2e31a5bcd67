package message

import (
	"bytes"
	"iter"
	"strings"
)

// Bounds of a message's structure.
const (
	MaxParts = 10_000
	MaxDepth = 50
	// maxBoundary is the longest boundary that separates anything, in bytes. RFC
	// 2046 §5.1.1 allows 70.
	maxBoundary = 256
	// maxPartFields bounds the fields of all parts of a message together.
	maxPartFields = 10 * MaxFields
)

// A Part is an entity of a message: a leaf, a multipart or a message in the
// message. The message itself is the first.
type Part struct {
	// Path is the part's number as in IMAP (RFC 9051 §6.4.5.1): nil for a
	// message that is a multipart, 1 for the body of one that is not. The message
	// in a message/rfc822 of number 2 is 2 if it is a multipart and 2.1 if not.
	Path  []int
	Depth int // 0 for the message itself

	Header      Header
	Type        string            // media type in lower case; text/plain if none is given
	Params      map[string]string // parameters of the media type, names in lower case
	Disposition string            // "attachment", "inline", … in lower case, or ""
	Filename    string            // from Content-Disposition or Content-Type, for people: it may hold anything

	Raw  []byte // header and body
	Body []byte // transfer encoding not undone

	Parent int  // index of the part that holds this one, -1 for the message itself
	Leaf   bool // no parts in it follow
}

// Multipart reports whether the part is a multipart, whose parts follow. One in which
// no part can be found is not: its Type is text/plain.
func (p *Part) Multipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// Parts yields the parts of a message, each before those in it.
func Parts(raw []byte) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for _, p := range Structure(raw) {
			if !yield(p) {
				return
			}
		}
	}
}

// Structure returns the parts of a message, each before those in it: at least
// one, at most MaxParts.
func Structure(raw []byte) []Part {
	w := walker{raw: raw, bounds: map[string]int{}, fields: maxPartFields}
	w.entity(0, place{parent: -1})
	return w.parts
}

// A walker goes over a message once, line by line, with the boundaries of all
// multiparts it is in.
type walker struct {
	raw    []byte
	parts  []Part
	bounds map[string]int // boundary → how deep the multipart lies
	fields int            // how many fields may still be indexed
}

// A place says where an entity is about to be read.
type place struct {
	parent  int
	depth   int
	section []int // of what holds it
	number  int   // within that, from 1
	message bool  // it is the message in a message/rfc822, not a part of a multipart
	digest  bool  // in a multipart/digest
}

// A stop says where reading ended and why: at a delimiter of the multipart at
// depth, or at the end of the message (depth -1).
type stop struct {
	end, next int // before the delimiter with its line break; behind it
	depth     int
	last      bool // it is a closing delimiter
}

// entity reads the entity that begins at pos.
func (w *walker) entity(pos int, at place) stop {
	body, halt, ended := w.header(pos)
	i := len(w.parts)
	header := parseHeader(w.raw[pos:body:body], min(MaxFields, w.fields))
	w.fields -= header.Len()
	w.parts = append(w.parts, describe(header, at))
	multi := w.parts[i].Multipart()
	boundary := strings.TrimRight(w.parts[i].Params["boundary"], " \t")
	nests := at.depth+1 < MaxDepth && !ended
	switch {
	case ended:
	case nests && multi && boundary != "" && len(boundary) <= maxBoundary:
		halt = w.multipart(body, i, at, boundary)
	case nests && isMessage(&w.parts[i]) && len(w.parts) < MaxParts:
		halt = w.entity(body, place{parent: i, depth: at.depth + 1, section: w.parts[i].Path, message: true})
	default:
		halt = w.scan(body)
	}
	p := &w.parts[i]
	if p.Leaf = len(w.parts) == i+1; p.Leaf && multi {
		p.Type, p.Params = "text/plain", nil
		p.Path = at.path(false)
	}
	p.Raw = w.raw[pos:halt.end:halt.end]
	p.Body = w.raw[min(body, halt.end):halt.end:halt.end]
	return halt
}

// isMessage reports whether a part holds a message that can be read in place.
func isMessage(p *Part) bool {
	if p.Type != "message/rfc822" && p.Type != "message/global" {
		return false
	}
	switch strings.ToLower(p.Header.Get("Content-Transfer-Encoding")) {
	case "base64", "quoted-printable": // forbidden by RFC 2046 §5.2.1; allowed for global
		return false
	}
	return true
}

// multipart reads the body of part i.
func (w *walker) multipart(body, i int, at place, boundary string) stop {
	depth := at.depth
	outer, shadowed := w.bounds[boundary]
	w.bounds[boundary] = depth
	halt := w.scan(body) // the preamble
	for n := 1; halt.depth == depth && !halt.last; n++ {
		if len(w.parts) >= MaxParts {
			halt = w.scan(halt.next)
			continue
		}
		halt = w.entity(halt.next, place{parent: i, depth: depth + 1, section: w.parts[i].Path, number: n, digest: w.parts[i].Type == "multipart/digest"})
	}
	delete(w.bounds, boundary)
	if shadowed {
		w.bounds[boundary] = outer
	}
	if halt.depth == depth {
		halt = w.scan(halt.next) // the epilogue
	}
	return halt
}

// header finds the end of the header at pos, which a delimiter may cut short.
func (w *walker) header(pos int) (body int, halt stop, ended bool) {
	for at := pos; at < len(w.raw); {
		next := lineEnd(w.raw, at)
		line := w.raw[at:next]
		if blank(line) {
			return next, stop{}, false
		}
		if halt, ended = w.delimiter(line, at, next); ended {
			halt.end = max(pos, halt.end)
			return halt.end, halt, true
		}
		at = next
	}
	return len(w.raw), stop{end: len(w.raw), next: len(w.raw), depth: -1}, true
}

// scan passes over lines up to the next delimiter.
func (w *walker) scan(pos int) stop {
	start := pos
	for len(w.bounds) > 0 && pos < len(w.raw) {
		if !bytes.HasPrefix(w.raw[pos:], []byte("--")) {
			i := bytes.Index(w.raw[pos:], []byte("\n--"))
			if i < 0 {
				break
			}
			pos += i + 1
		}
		next := lineEnd(w.raw, pos)
		if halt, ok := w.delimiter(w.raw[pos:next], pos, next); ok {
			halt.end = max(start, halt.end)
			return halt
		}
		pos = next
	}
	return stop{end: len(w.raw), next: len(w.raw), depth: -1}
}

// delimiter reports whether a line is a delimiter of a multipart that is open. The line
// break before it belongs to it (RFC 2046 §5.1.1).
func (w *walker) delimiter(line []byte, pos, next int) (stop, bool) {
	if len(w.bounds) == 0 || len(line) > maxBoundary+100 || !bytes.HasPrefix(line, []byte("--")) {
		return stop{}, false
	}
	text := bytes.TrimRight(line[2:], " \t\r\n")
	depth, ok := w.bounds[string(text)]
	last := false
	if !ok {
		if text, last = bytes.CutSuffix(text, []byte("--")); !last {
			return stop{}, false
		}
		if depth, ok = w.bounds[string(text)]; !ok {
			return stop{}, false
		}
	}
	end := pos
	if end > 0 && w.raw[end-1] == '\n' {
		if end--; end > 0 && w.raw[end-1] == '\r' {
			end--
		}
	}
	return stop{end, next, depth, last}, true
}

// describe reads a part's header.
func describe(h Header, at place) Part {
	p := Part{Header: h, Depth: at.depth, Parent: at.parent}
	p.Type, p.Params = Params(p.Header.Get("Content-Type"))
	if !strings.Contains(p.Type, "/") {
		p.Type = "text/plain"
		if at.digest {
			p.Type = "message/rfc822"
		}
	}
	var params map[string]string
	p.Disposition, params = Params(p.Header.Get("Content-Disposition"))
	if p.Filename = params["filename"]; p.Filename == "" {
		p.Filename = p.Params["name"]
	}
	p.Path = at.path(p.Multipart())
	return p
}

func (at place) path(multipart bool) []int {
	number := at.number
	if at.depth == 0 || at.message {
		if multipart {
			return at.section
		}
		number = 1
	}
	path := make([]int, len(at.section)+1)
	copy(path, at.section)
	path[len(at.section)] = number
	return path
}
