package search

import (
	"strings"

	"cairn/services/mail/message"
)

// Where says what of a message is searched.
type Where uint8

const (
	Text  Where = iota // header and body: IMAP's TEXT
	Body               // the body: BODY
	Field              // the header fields called Query.Name: HEADER, FROM, TO, CC, BCC, SUBJECT
)

// A Query is what is searched for.
type Query struct {
	In    Where
	Name  string // of the field, in any case; for Field only
	Value string // "" is in every message, or in every one that has the field
}

// MaxText bounds how much readable text of a message is searched, in bytes, for its
// header and its body each.
const MaxText = 4 << 20

// Match reports whether a message has what is searched for.
func (q Query) Match(raw []byte) bool {
	return q.match(&document{raw: raw}, Fold(q.Value))
}

func (q Query) match(d *document, value string) bool {
	switch q.In {
	case Field:
		for _, v := range d.fields(q.Name) {
			if strings.Contains(v, value) {
				return true
			}
		}
		return false
	case Text:
		if strings.Contains(d.header(), value) {
			return true
		}
	}
	return strings.Contains(d.body(), value)
}

// A document is a message as it is searched. What is asked for is made once.
type document struct {
	raw        []byte
	head, text string // folded
	hasHead    bool
	hasText    bool
}

func (d *document) parsed() message.Header {
	head, _ := message.Split(d.raw)
	return message.ParseHeader(head)
}

// header returns all fields with their names, folded.
func (d *document) header() string {
	if !d.hasHead {
		d.head, d.hasHead = Fold(message.HeaderText(d.parsed(), MaxText)), true
	}
	return d.head
}

// fields returns the values of the fields of a name, folded.
func (d *document) fields(name string) []string {
	var all []string
	size := 0
	for _, v := range d.parsed().All(name) {
		if size += len(v); size > MaxText {
			break
		}
		all = append(all, Fold(message.DecodeWords(v)))
	}
	return all
}

// body returns the text of the parts and their names, folded.
func (d *document) body() string {
	if d.hasText {
		return d.text
	}
	var b strings.Builder
	for _, p := range message.Structure(d.raw) {
		if b.Len() >= MaxText {
			break
		}
		b.WriteString(p.Text(MaxText - b.Len()))
		b.WriteByte('\n')
		if p.Filename != "" && b.Len()+len(p.Filename) < MaxText {
			b.WriteString(p.Filename)
			b.WriteByte('\n')
		}
	}
	d.text, d.hasText = Fold(b.String()), true
	return d.text
}
