package auth

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"sync"
)

var crlf, space = []byte("\r\n"), []byte(" ")

// appendRelaxed appends a header field as the canonicalisation "relaxed" has it,
// with its CRLF (RFC 6376 §3.4.2): the name in lower case, the value on one line,
// white space within it one space.
func appendRelaxed(dst, field []byte) []byte {
	name, value, _ := bytes.Cut(field, []byte(":"))
	for _, c := range bytes.TrimRight(name, " \t\r\n") {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	start := len(dst)
	gap := false
	for _, c := range value {
		switch c {
		case ' ', '\t':
			gap = len(dst) > start
		case '\r', '\n':
		default:
			if gap {
				dst = append(dst, ' ')
				gap = false
			}
			dst = append(dst, c)
		}
	}
	return append(dst, crlf...)
}

// appendField appends a header field as one of the two canonicalisations has it.
func appendField(dst, field []byte, relaxed bool) []byte {
	if relaxed {
		return appendRelaxed(dst, field)
	}
	return append(dst, field...)
}

// A bodyHash knows the SHA-256 of a body in both canonicalisations and computes each at
// most once, however many signatures ask for it.
type bodyHash struct {
	simple, relaxed func() [sha256.Size]byte
}

func newBodyHash(body []byte) bodyHash {
	sum := func(relaxed bool) func() [sha256.Size]byte {
		return sync.OnceValue(func() (out [sha256.Size]byte) {
			h := sha256.New()
			hashBody(h, body, relaxed)
			h.Sum(out[:0])
			return out
		})
	}
	return bodyHash{sum(false), sum(true)}
}

func (b bodyHash) sum(relaxed bool) [sha256.Size]byte {
	if relaxed {
		return b.relaxed()
	}
	return b.simple()
}

// hashBody writes a body to h in canonical form (RFC 6376 §3.4.3, §3.4.4): blank
// lines at the end left out, a line's end always CRLF, and, if relaxed, no white
// space before it and elsewhere one space for any. Stretches that are canonical
// already, mostly the whole body, go to h as they lie there.
func hashBody(h hash.Hash, body []byte, relaxed bool) {
	s := stretch{h: h, b: body}
	blank, blankAt := 0, 0 // blank lines count only if another line follows
	for pos, next := 0, 0; pos < len(body); pos = next {
		end := len(body)
		next = end
		if i := bytes.IndexByte(body[pos:], '\n'); i >= 0 {
			end, next = pos+i, pos+i+1
			if i > 0 && body[end-1] == '\r' {
				end--
			}
		}
		if relaxed {
			end = pos + len(bytes.TrimRight(body[pos:end], " \t"))
		}
		if end == pos {
			if blank == 0 {
				blankAt = pos
			}
			blank++
			continue
		}
		s.lineEnds(blankAt, pos, blank)
		blank, blankAt = 0, pos
		if relaxed {
			s.line(pos, end)
		} else {
			s.keep(pos, end)
		}
		s.lineEnds(end, next, 1)
	}
	s.flush()
	if !relaxed && !s.any {
		h.Write(crlf)
	}
}

// A stretch collects what of b goes to h unchanged: b[start:end] is still to be written.
type stretch struct {
	h          hash.Hash
	b          []byte
	start, end int
	any        bool // something was kept
}

func (s *stretch) keep(from, to int) {
	if from != s.end {
		s.flush()
		s.start = from
	}
	s.end = to
	s.any = true
}

func (s *stretch) flush() {
	s.h.Write(s.b[s.start:s.end])
	s.start = s.end
}

// lineEnds stands for b[from:to], which ends n lines and holds nothing else of weight.
func (s *stretch) lineEnds(from, to, n int) {
	if to-from == 2*n && bytes.Count(s.b[from:to], crlf) == n {
		s.keep(from, to)
		return
	}
	s.flush()
	for range n {
		s.h.Write(crlf)
	}
}

// line keeps b[from:to], each run of white space in it as one space.
func (s *stretch) line(from, to int) {
	line := s.b[from:to]
	if bytes.IndexByte(line, ' ') < 0 && bytes.IndexByte(line, '\t') < 0 {
		s.keep(from, to)
		return
	}
	for i := 0; i < len(line); i++ {
		if line[i] != ' ' && line[i] != '\t' {
			continue
		}
		run := i + 1
		for line[run] == ' ' || line[run] == '\t' { // the line does not end in white space
			run++
		}
		if run == i+1 && line[i] == ' ' {
			continue
		}
		s.keep(from, from+i)
		s.flush()
		s.h.Write(space)
		from, line, i = from+run, line[run:], -1
	}
	s.keep(from, to)
}
