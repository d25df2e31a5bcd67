package imap

import (
	"bytes"
	"strconv"
	"strings"

	"cairn/services/mail/mailbox"
)

// What STATUS can tell that the library does not know is taken out of the command before the
// library reads it, and put into its response.

// extraStatus reports whether the library does not know an item, in upper case.
func extraStatus(item string) bool { return item == "HIGHESTMODSEQ" || item == "MAILBOXID" }

// editStatus changes STATUS (RFC 9051 §6.3.11).
func (s *session) editStatus(c *command) error {
	s.extras = nil
	a := c.arguments()
	if _, err := spaced(a, a.astring); err != nil {
		return err
	}
	if err := a.space(); err != nil {
		return err
	}
	at := len(c.text) - len(a.b) - len("\r\n")
	items, err := s.statusItems(a)
	if err != nil {
		return err
	}
	c.text = append(append(c.text[:at], items...), "\r\n"...)
	return a.end()
}

// statusItems reads (item …) and returns those that the library knows, in parentheses.
func (s *session) statusItems(a *scanner) (string, error) {
	var known []string
	err := a.list(func() error {
		word, err := a.keyword()
		if extraStatus(word) {
			s.extras = append(s.extras, word)
		} else {
			known = append(known, word)
		}
		return err
	})
	return "(" + strings.Join(known, " ") + ")", err
}

// editList changes STATUS among the return options of LIST (RFC 5819).
func (s *session) editList(c *command) error {
	s.extras = nil
	i := bytes.LastIndexByte(bytes.TrimSuffix(c.text, []byte("\r\n")), '\n') + 1 // the last line
	text := string(c.text[i:])
	upper := upperASCII(text)
	k := strings.LastIndex(upper, "STATUS (")
	if k < 0 || !strings.Contains(upper[:k], " RETURN (") {
		return nil
	}
	k += len("STATUS ")
	a := &scanner{b: []byte(strings.TrimRight(text[k:], "\r\n"))}
	items, err := s.statusItems(a)
	if err != nil {
		return err
	}
	c.text = append(append(append(c.text[:i+k:i+k], items...), a.b...), "\r\n"...)
	return nil
}

// upperASCII leaves the bytes of other letters where they are.
func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

// tellStatus has the next STATUS response carry what was taken out.
func (s *session) tellStatus(info mailbox.Info) {
	if len(s.extras) == 0 {
		return
	}
	var b []byte
	for _, item := range s.extras {
		switch item {
		case "HIGHESTMODSEQ":
			s.condStore = true
			b = strconv.AppendUint(append(b, " HIGHESTMODSEQ "...), info.HighestModSeq, 10)
		case "MAILBOXID":
			b = append(append(append(b, " MAILBOXID ("...), info.ID()...), ')')
		}
	}
	s.front.mu.Lock()
	defer s.front.mu.Unlock()
	s.front.status = string(b)
}

// amendStatus puts it in.
func (f *front) amendStatus(line []byte) []byte {
	head, ok := bytes.CutSuffix(line, []byte(")\r\n"))
	if !ok {
		return line
	}
	more := f.status
	if f.status = ""; bytes.HasSuffix(head, []byte("(")) {
		more = more[1:]
	}
	return append(append(bytes.Clone(head), more...), ")\r\n"...)
}
