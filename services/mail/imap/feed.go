package imap

import (
	"bytes"
	"errors"
	"io"
)

// rest gives the library what it has not read of its command.
func (f *front) rest(p []byte) (int, error) {
	if len(f.feed) == 0 {
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	if len(f.feed) > 0 {
		n := copy(p, f.feed)
		f.feed = f.feed[n:]
		return n, nil
	}
	if f.left > 0 {
		n, err := f.wire.Read(p[:min(int64(len(p)), f.left)])
		f.left -= int64(n)
		return n, err
	}
	return 0, nil
}

// advance finds what the library is to read next.
func (f *front) advance() error {
	c := f.cmd
	if f.fed <= len(c.pieces) {
		from, to := 0, len(c.text)
		if f.fed > 0 {
			from = c.pieces[f.fed-1]
		}
		if f.fed < len(c.pieces) {
			to = c.pieces[f.fed]
		}
		f.feed = c.text[from:to]
		f.fed++
		return nil
	}
	switch {
	case f.left > 0:
		return nil
	case c.message >= 0: // behind the message the command ends; messageEnd has read that
		c.message = -1
		f.feed = []byte(c.closing() + "\r\n")
		return nil
	case f.wantsLine():
		line, err := f.wire.line(nil, maxEarlyCommand, f.patience())
		if f.feed = line; c.name == "IDLE" {
			f.endIdle(line, err)
			err = nil
		}
		return err
	}
	return errSpeech // the library believes that the command goes on
}

// endIdle lets the library end IDLE in order, whatever it ended with: else the library
// would go on before session.Idle has returned.
func (f *front) endIdle(line []byte, err error) {
	f.broken = err
	f.feed = []byte("DONE\r\n")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = !bytes.EqualFold(bytes.TrimSpace(line), []byte("DONE"))
}

func (f *front) wantsLine() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = false
	return asked
}

// skip passes over what the library did not want to read of an APPEND.
func (f *front) skip() error {
	if f.left > 0 {
		if _, err := io.CopyN(io.Discard, &f.wire, f.left); err != nil {
			return err
		}
		f.left = 0
	}
	if f.cmd != nil && f.cmd.message >= 0 && !f.cmd.ended {
		var syntax syntaxError
		if err := f.messageEnd(); !errors.As(err, &syntax) {
			return err
		}
	}
	return nil
}

// messageEnd reads what stands behind the message of an APPEND, before it is stored: the library looks at it
// only then, and has no answer if it is wrong.
func (f *front) messageEnd() error {
	f.cmd.ended = true
	line, err := f.wire.line(nil, maxTag, soon(restTime))
	if err == nil && string(bytes.TrimRight(line, "\r\n")) != f.cmd.closing() {
		err = expected("the end of the command behind the message")
		if _, invite, ok := literalSize(line); ok && !invite {
			f.broken = errSpeech
		}
	}
	return err
}
