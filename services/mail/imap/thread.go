package imap

import (
	"strings"

	"cairn/services/mail/message"
)

// thread is THREAD and UID THREAD (RFC 5256 §3).
func (s *session) thread(c *command) error {
	p := s.parser(c)
	how, err := spaced(p.scanner, p.keyword)
	if err == nil && how != "ORDEREDSUBJECT" && how != "REFERENCES" {
		err = expected("ORDEREDSUBJECT or REFERENCES")
	}
	if err == nil {
		err = p.space()
	}
	if err != nil {
		return err
	}
	found, _, err := s.chooseFrom(p)
	if err != nil {
		return err
	}
	letters := make([]letter, len(found))
	if err := s.eachHeader(found, func(k int, h message.Header) { letters[k] = newLetter(found[k], h) }); err != nil {
		return err
	}
	f := newForest(len(found))
	for k := range letters {
		i := f.add(k, &letters[k])
		if how == "REFERENCES" {
			f.refer(i, letters[k].references)
		}
	}
	if how == "REFERENCES" {
		f.byReferences()
	} else {
		f.bySubject()
	}
	uid := strings.HasPrefix(c.name, "UID ")
	b := append([]byte("* THREAD "), f.write(nil, func(hit int32) uint32 { return found[hit].number(uid) })...)
	if len(found) == 0 {
		b = []byte("* THREAD")
	}
	return s.front.wire.send(append(b, "\r\n"...))
}
