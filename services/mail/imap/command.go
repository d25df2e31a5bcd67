package imap

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// A command is what a client says, literals and all. The message of an APPEND is not
// in it: it is still to be read.
type command struct {
	tag, name string // name in upper case; "UID FETCH" is one
	text      []byte // all of it as it came, but that no literal waits for an invitation
	pieces    []int  // where the library may stop reading: before and behind each literal
	message   int64  // the size of an APPEND's message, -1 for all other commands
	invite    bool   // the client waits to be asked for it
	ended     bool   // what stands behind it has been read
}

// closing is what stands behind the message of an APPEND (RFC 6855 §4).
func (c *command) closing() string {
	if bytes.Contains(bytes.ToUpper(c.text), []byte(" UTF8 (~{")) {
		return ")"
	}
	return ""
}

// Bounds of a command in bytes, with its literals.
const (
	maxCommand      = 48 << 10 // the library's own is 50 KiB
	maxEarlyCommand = 8 << 10  // before the log-in
	maxTag          = 100
)

// A badCommand is answered and forgotten; what follows can be read.
type badCommand struct {
	tag string
	err error
}

func (e *badCommand) Error() string { return e.err.Error() }

// A parting ends the connection, with what the client is told.
type parting string

func (p parting) Error() string { return string(p) }

const (
	errLong     parting = "The command is too long"
	errSpeech   parting = "What follows cannot be told from what was refused: wait to be asked for literals"
	errNonsense parting = "Nothing of that means anything"
	errRefused  parting = "Too many log-ins were refused"
	errClear    parting = "Nothing may follow STARTTLS before its answer"
)

// invitation is what a client waits for that announces a literal.
const invitation = "+ Go ahead\r\n"

// readCommand reads one command, for the first byte of which there is time until idle.
func (f *front) readCommand(idle time.Time) (*command, error) {
	c := &command{message: -1}
	limit := maxCommand
	if !f.session.loggedIn() {
		limit = maxEarlyCommand
	}
	for {
		start := len(c.text)
		var err error
		if c.text, err = f.wire.line(c.text, limit-start, idle); err != nil {
			return c, err
		}
		idle = earlier(idle, soon(restTime))
		line := c.text[start:]
		n, invite, ok := literalSize(line)
		if err := c.check(line, start == 0); err != nil {
			if ok && !invite {
				return c, errSpeech
			}
			return c, &badCommand{c.tag, err}
		}
		if !ok {
			break
		}
		if c.name == "APPEND" && f.session.loggedIn() && c.named() {
			c.message, c.invite = n, invite
			c.seal(line)
			break
		}
		if n > int64(limit-len(c.text)) {
			if invite {
				return c, &badCommand{c.tag, syntaxError("the literal is too long")}
			}
			return c, errLong
		}
		if invite {
			c.seal(line)
			f.wire.send([]byte(invitation))
		}
		c.pieces = append(c.pieces, len(c.text))
		at := len(c.text)
		c.text = append(c.text, make([]byte, n)...)
		f.wire.literal(n)
		if _, err := io.ReadFull(&f.wire, c.text[at:]); err != nil {
			return c, err
		}
		c.pieces = append(c.pieces, len(c.text))
	}
	if bytes.IndexByte(c.text, 0) >= 0 {
		return c, &badCommand{c.tag, syntaxError("there is a NUL")}
	}
	return c, nil
}

// check looks at a line of the command.
func (c *command) check(line []byte, first bool) error {
	if first {
		if err := c.begin(); err != nil {
			return err
		}
	}
	return checkLine(line)
}

// seal makes the literal that the text ends with one that waits for no invitation.
func (c *command) seal(line []byte) {
	if i := bytes.LastIndexByte(line, '}'); line[i-1] != '+' {
		c.text = append(c.text[:len(c.text)-len(line)+i], "+}\r\n"...)
	}
}

// begin reads tag and name of the first line.
func (c *command) begin() error {
	s := scanner{b: bytes.TrimRight(c.text, "\r\n")}
	tag := s.while(func(b byte) bool { return astringChar(b) && b != '+' })
	if tag == "" || len(tag) > maxTag {
		return syntaxError("a command begins with a tag")
	}
	c.tag = tag
	if err := s.space(); err != nil {
		return err
	}
	name, err := s.keyword()
	if err != nil {
		return err
	}
	if name == "UID" {
		if err := s.space(); err != nil {
			return err
		}
		sub, err := s.keyword()
		if err != nil {
			return err
		}
		name += " " + sub
	}
	c.name = name
	return nil
}

// named reports whether an APPEND has its mailbox, so that the literal is a message.
func (c *command) named() bool {
	s := scanner{b: c.text[len(c.tag)+1+len(c.name):]}
	if s.space() != nil {
		return false
	}
	if _, err := s.astring(); err != nil {
		return false
	}
	return s.peek() == ' '
}

// arguments returns a scanner over what follows the name.
func (c *command) arguments() *scanner {
	rest := c.text[len(c.tag)+1+len(c.name):]
	return &scanner{b: bytes.TrimSuffix(bytes.TrimSuffix(rest, []byte("\n")), []byte("\r"))} // a literal may end with more of them
}

// checkLine makes sure that a line ends where the library, which takes line ends within
// quotes, believes that it does.
func checkLine(line []byte) error {
	quoted := false
	text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\r':
			return syntaxError("there is a control character")
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		}
	}
	if quoted {
		return expected("a quote")
	}
	return nil
}

// literalSize reads the announcement of a literal that a line ends with (RFC 9051 §4.3,
// RFC 7888): {5}, {5+}, ~{5}. invite says that the client waits.
func literalSize(line []byte) (n int64, invite, ok bool) {
	text, found := bytes.CutSuffix(bytes.TrimRight(line, "\r\n"), []byte("}"))
	i := bytes.LastIndexByte(text, '{')
	if !found || i < 0 {
		return 0, false, false
	}
	digits, plus := strings.CutSuffix(string(text[i+1:]), "+")
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || digits[0] == '+' {
		return 0, false, false
	}
	return int64(min(v, math.MaxInt64/2)), !plus, true
}
