package auth

import (
	"strings"

	"cairn/services/mail/message"
)

// A letter is a message as signatures see it.
type letter struct {
	header message.Header
	fields []message.Field
	named  map[string][]int // numbers of the fields of a name in lower case, the first first
	body   bodyHash
	whole  bool // all of its header was read
}

func newLetter(raw []byte) *letter {
	head, body := message.Split(raw)
	h := message.ParseHeader(head)
	l := &letter{
		header: h,
		fields: make([]message.Field, 0, h.Len()),
		named:  make(map[string][]int, h.Len()),
		body:   newBodyHash(body),
		whole:  len(head) <= message.MaxHeader && h.Len() < message.MaxFields,
	}
	for f := range h.Fields() {
		name := strings.ToLower(f.Name)
		l.named[name] = append(l.named[name], len(l.fields))
		l.fields = append(l.fields, f)
	}
	return l
}

// of returns the fields of a name, which is in lower case, the first first.
func (l *letter) of(name string) []message.Field {
	all := make([]message.Field, len(l.named[name]))
	for i, n := range l.named[name] {
		all[i] = l.fields[n]
	}
	return all
}

// appendSigned appends the fields that h= names: of each name the last one first,
// and nothing once they are used up (RFC 6376 §5.4.2).
func (l *letter) appendSigned(dst []byte, names []string, relaxed bool) []byte {
	used := make(map[string]int, len(names))
	for _, name := range names {
		name = strings.ToLower(name)
		all := l.named[name]
		used[name]++
		if n := len(all) - used[name]; n >= 0 {
			dst = appendField(dst, l.fields[all[n]].Raw, relaxed)
		}
	}
	return dst
}
