package imap

import (
	"math"
	"strconv"
	"strings"
)

// A fetch is what a FETCH command asks for (RFC 9051 §6.4.5).
type fetch struct {
	uid, flags, date, size, modSeq bool
	emailID, threadID, preview     bool
	envelope, body, structure      bool
	sections                       []section

	changedSince uint64 // RFC 7162 §3.1.4.1; 0: all
	since        bool   // there is a CHANGEDSINCE
	vanished     bool
}

// A section is a part of a message that is asked for: BODY[…], BINARY[…], BINARY.SIZE[…].
type section struct {
	item   string // as the response has it, with the brackets: BODY[1.HEADER.FIELDS (TO)]
	kind   sectionKind
	path   []int
	what   string   // "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, MIME, TEXT
	fields []string // of HEADER.FIELDS
	peek   bool
	offset int64 // of a partial; length is -1 when the whole is asked for
	length int64
}

type sectionKind int

const (
	bodySection sectionKind = iota
	binarySection
	binarySize
)

// Bounds of one FETCH.
const (
	maxSections    = 200
	maxSectionPath = 60 // deeper than any message is read
)

// full reports whether messages have to be read.
func (f *fetch) full() bool {
	return f.envelope || f.body || f.structure || f.preview || len(f.sections) > 0
}

// seen reports whether reading sets \Seen.
func (f *fetch) seen() bool {
	for _, s := range f.sections {
		if !s.peek && s.kind != binarySize {
			return true
		}
	}
	return false
}

// parseFetch reads what stands behind the set of messages.
func parseFetch(s *scanner) (*fetch, error) {
	f := &fetch{}
	if s.peek() == '(' {
		if err := s.list(func() error { return f.item(s, s.attribute()) }); err != nil {
			return nil, err
		}
	} else if err := f.single(s); err != nil {
		return nil, err
	}
	if s.peek() == ' ' && len(s.b) > 1 {
		s.is(' ')
		if err := s.list(func() error { return f.modifier(s) }); err != nil {
			return nil, err
		}
	}
	return f, s.end()
}

// single reads one item or a macro.
func (f *fetch) single(s *scanner) error {
	switch name := s.attribute(); name {
	case "FULL":
		f.body = true
		fallthrough
	case "ALL":
		f.envelope = true
		fallthrough
	case "FAST":
		f.flags, f.date, f.size = true, true, true
		return nil
	default:
		return f.item(s, name)
	}
}

// flag returns the field that an item without arguments sets.
func (f *fetch) flag(name string) *bool {
	switch name {
	case "UID":
		return &f.uid
	case "FLAGS":
		return &f.flags
	case "INTERNALDATE":
		return &f.date
	case "RFC822.SIZE":
		return &f.size
	case "MODSEQ":
		return &f.modSeq
	case "EMAILID":
		return &f.emailID
	case "THREADID":
		return &f.threadID
	case "ENVELOPE":
		return &f.envelope
	case "BODYSTRUCTURE":
		return &f.structure
	}
	return nil
}

func (f *fetch) item(s *scanner, name string) error {
	if field := f.flag(name); field != nil {
		*field = true
		return nil
	}
	switch name {
	case "PREVIEW":
		f.preview = true
		return f.lazy(s)
	case "BODY":
		if s.peek() != '[' {
			f.body = true
			return nil
		}
		return f.section(s, section{item: "BODY"})
	case "BODY.PEEK":
		return f.section(s, section{item: "BODY", peek: true})
	case "BINARY":
		return f.section(s, section{item: "BINARY", kind: binarySection})
	case "BINARY.PEEK":
		return f.section(s, section{item: "BINARY", kind: binarySection, peek: true})
	case "BINARY.SIZE":
		return f.section(s, section{item: "BINARY.SIZE", kind: binarySize})
	case "RFC822", "RFC822.PEEK":
		return f.add(section{item: "RFC822", peek: name != "RFC822", length: -1})
	case "RFC822.HEADER":
		return f.add(section{item: name, what: "HEADER", peek: true, length: -1})
	case "RFC822.TEXT":
		return f.add(section{item: name, what: "TEXT", length: -1})
	}
	return syntaxError("there is nothing called " + strconv.Quote(name) + " to be fetched")
}

// lazy reads the modifier of PREVIEW (RFC 8970 §3.1), which changes nothing here.
func (f *fetch) lazy(s *scanner) error {
	if !strings.HasPrefix(string(s.b), " (") {
		return nil
	}
	s.is(' ')
	return s.list(func() error {
		if word, err := s.keyword(); err != nil || word != "LAZY" {
			return expected("LAZY")
		}
		return nil
	})
}

func (f *fetch) add(sec section) error {
	if f.sections = append(f.sections, sec); len(f.sections) > maxSections {
		return syntaxError("too many parts at a time")
	}
	return nil
}

// modifier reads CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4.1, §3.2.6).
func (f *fetch) modifier(s *scanner) error {
	name, err := s.keyword()
	if err != nil {
		return err
	}
	switch name {
	case "CHANGEDSINCE":
		if err := s.space(); err != nil {
			return err
		}
		f.changedSince, err = s.number(math.MaxInt64)
		f.modSeq, f.since = true, true
		return err
	case "VANISHED":
		f.vanished = true
		return nil
	}
	return expected("CHANGEDSINCE")
}
