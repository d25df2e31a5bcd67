package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
)

// What a body may hold.
const (
	maxDepth     = 48
	maxAttrs     = 32
	maxNameBytes = 256
	maxSpace     = 1024 // bytes of a namespace
	maxScope     = 64   // namespaces declared at one place, for each name is looked for among them
)

// limits bounds one kind of body: its bytes, and its tokens (tags, texts, comments).
type limits struct{ bytes, tokens int }

// A multiget of 10,000 resources has a megabyte and 40,000 tokens.
var (
	plain  = limits{1 << 20, 50_000}
	report = limits{4 << 20, 200_000}
)

// Parse reads a body of any kind, at most 1 MiB of it. A body without any bytes is nil and no error. Errors are *Error:
// 400 for what is not XML 1.0 with namespaces, 403 for a document type, an entity or a processing instruction, 413 for
// too much of anything, 415 for an encoding other than UTF-8 and UTF-16.
//
// The tokens are encoding/xml's; the names are not: its own resolving forgets prefixes, binds what is unbound and
// merges what differs, so that what it reads and what it writes can be two things.
func Parse(body io.Reader) (*Element, error) { return parse(body, plain) }

func parse(body io.Reader, l limits) (*Element, error) {
	data, err := io.ReadAll(io.LimitReader(body, int64(l.bytes)+1))
	if err != nil {
		return nil, readError(err)
	}
	if len(data) > l.bytes {
		return nil, Errorf(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", l.bytes)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	return parseBytes(data, l)
}

// readError says what to answer when a body could not be read.
func readError(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return Errorf(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", large.Limit)
	}
	return Errorf(http.StatusBadRequest, "the body ends early")
}

func parseBytes(data []byte, l limits) (*Element, error) {
	data, wide, err := toUTF8(data)
	if err != nil {
		return nil, err
	}
	p := parser{limits: l, wide: wide}
	p.d = xml.NewDecoder(bytes.NewReader(data))
	p.d.CharsetReader = p.charset
	for {
		at := p.d.InputOffset()
		t, err := p.d.RawToken()
		if err == io.EOF {
			break
		}
		if p.refused != nil {
			return nil, p.refused
		}
		if err != nil {
			return nil, malformed("%s", strings.TrimPrefix(err.Error(), "XML syntax error "))
		}
		if p.tokens--; p.tokens < 0 {
			return nil, Errorf(http.StatusRequestEntityTooLarge, "XML: more than %d tokens", l.tokens)
		}
		if err := p.token(t, at == 0); err != nil {
			return nil, err
		}
	}
	if p.root == nil || len(p.open) > 0 {
		return nil, malformed("the body ends inside of an element")
	}
	return p.root, nil
}

func malformed(format string, args ...any) *Error {
	e := Errorf(http.StatusBadRequest, format, args...)
	e.Text = "XML: " + e.Text
	return e
}

// parser makes a tree of tokens.
type parser struct {
	limits
	d       *xml.Decoder
	root    *Element
	open    []*Element
	scope   []binding // declarations in force, innermost last
	marks   []int     // length of scope before each open element
	tags    []string  // raw names of open elements, as RawToken does not match them
	wide    bool      // the body came as UTF-16
	refused error     // what charset found
}

func (p *parser) token(t xml.Token, first bool) error {
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end(t)
	case xml.CharData:
		return p.text(string(t))
	case xml.ProcInst:
		if t.Target == "xml" && first {
			return nil
		}
		return Errorf(http.StatusForbidden, "XML: processing instructions are not taken")
	case xml.Directive:
		return Errorf(http.StatusForbidden, "XML: document types and entities are not taken")
	}
	return nil // a comment
}

func (p *parser) start(t xml.StartElement) error {
	switch {
	case len(p.open) == 0 && p.root != nil:
		return malformed("a second root element")
	case len(p.open) == maxDepth:
		return Errorf(http.StatusRequestEntityTooLarge, "XML: more than %d levels", maxDepth)
	case len(t.Attr) > maxAttrs:
		return Errorf(http.StatusRequestEntityTooLarge, "XML: more than %d attributes", maxAttrs)
	}
	p.marks = append(p.marks, len(p.scope))
	if err := p.declare(t.Attr); err != nil {
		return err
	}
	e := &Element{prefix: t.Name.Space}
	var err error
	if e.Name, err = p.resolve(t.Name, true); err != nil {
		return err
	}
	if err := p.attributes(e, t.Attr); err != nil {
		return err
	}
	if n := len(p.open); n > 0 {
		p.open[n-1].Nodes = append(p.open[n-1].Nodes, Node{Element: e})
	} else {
		p.root = e
	}
	p.open = append(p.open, e)
	p.tags = append(p.tags, t.Name.Space+":"+t.Name.Local)
	return nil
}

func (p *parser) end(t xml.EndElement) error {
	n := len(p.open) - 1
	if n < 0 || p.tags[n] != t.Name.Space+":"+t.Name.Local {
		return malformed("</%s> closes nothing", t.Name.Local)
	}
	p.open, p.tags = p.open[:n], p.tags[:n]
	p.scope, p.marks = p.scope[:p.marks[n]], p.marks[:n]
	return nil
}

func (p *parser) text(s string) error {
	n := len(p.open) - 1
	if n < 0 {
		if strings.Trim(s, " \t\r\n\uFEFF") != "" {
			return malformed("text outside of the root element")
		}
		return nil
	}
	e := p.open[n]
	p.remember(e, s)
	e.Nodes = append(e.Nodes, Node{Text: s})
	return nil
}
