package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"cairn/services/accounts"
	"cairn/services/mail/login"
	"cairn/services/mail/mailbox"
	"cairn/store"

	"github.com/emersion/go-imap/v2"
)

// answer ends a command that the library has not seen, named so in its OK.
func (f *front) answer(tag, name string, err error) error {
	if tag == "" {
		tag = "*"
	}
	f.mu.Lock()
	line := f.finish(tag, answerLine(tag, name, f.session.reply(err)))
	f.mu.Unlock()
	return f.wire.send(line)
}

func answerLine(tag, name string, e *imap.Error) []byte {
	switch {
	case e == nil:
		return fmt.Appendf(nil, "%s OK %s completed\r\n", tag, name)
	case e.Code == "":
		return fmt.Appendf(nil, "%s %s %s\r\n", tag, e.Type, e.Text)
	}
	return fmt.Appendf(nil, "%s %s [%s] %s\r\n", tag, e.Type, e.Code, e.Text)
}

// amend looks at a line that the library writes. The lock is held.
func (f *front) amend(p []byte) []byte {
	switch {
	case bytes.HasPrefix(p, []byte("+")):
		f.asked = true
	case bytes.HasPrefix(p, []byte("* CAPABILITY ")), bytes.HasPrefix(p, []byte("* OK [CAPABILITY ")):
		return f.capable(p)
	case bytes.HasPrefix(p, []byte("* ENABLED")):
		return f.enabled(p)
	case bytes.HasPrefix(p, []byte("* STATUS ")) && f.status != "":
		return f.amendStatus(p)
	case f.cmd != nil && bytes.HasPrefix(p, []byte(f.cmd.tag+" ")):
		return f.finish(f.cmd.tag, p)
	}
	return p
}

// finish makes the end of a command's answer of line: what has to stand before it, and
// the code that it has to carry. The lock is held.
func (f *front) finish(tag string, line []byte) []byte {
	f.done = true
	if string(line) == tag+libraryBug {
		line = answerLine(tag, "", bad("Syntax error: the arguments cannot be read"))
	}
	ok, isOK := bytes.CutPrefix(line, []byte(tag+" OK "))
	if !isOK {
		if f.bad++; !bytes.HasPrefix(line, []byte(tag+" BAD ")) {
			f.bad = 0
		}
		return line
	}
	f.bad = 0
	switch {
	case f.wrong:
		return answerLine(tag, "", &imap.Error{Type: imap.StatusResponseTypeBad, Text: "IDLE ends with DONE"})
	case bytes.HasPrefix(ok, []byte("[CAPABILITY ")):
		line = f.capable(line)
	case f.code != "":
		line = fmt.Appendf(nil, "%s OK [%s] %s", tag, f.code, ok)
	}
	return append(f.tail, line...)
}

// libraryBug is how the library answers all that it has no answer for. As the session has one for everything
// that goes wrong in it, that is what the client has written: dates, sets, names in bad UTF-7.
const libraryBug = " NO [SERVERBUG] Internal server error\r\n"

// before has untagged responses sent right before the command's answer, if that is OK.
func (f *front) before(lines []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tail = append(f.tail, lines...)
}

// withCode gives the command's answer a response code, if it is OK and the library gives none.
func (f *front) withCode(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code = code
}

func no(code imap.ResponseCode, text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

func bad(text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeBad, Text: text}
}

// reply is what clients are told of an error (RFC 9051 §7.1, RFC 5530).
func (s *session) reply(err error) *imap.Error {
	var (
		ready  *imap.Error
		syntax syntaxError
		name   *mailbox.NameError
		quota  *mailbox.QuotaError
		rate   *accounts.RateError
		lost   net.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &syntax):
		return bad(syntax.Error())
	case errors.As(err, &name):
		return no(imap.ResponseCodeCannot, name.Error())
	case errors.As(err, &quota):
		return no(imap.ResponseCodeOverQuota, quota.Error())
	case errors.Is(err, mailbox.ErrNoMailbox):
		return no(imap.ResponseCodeNonExistent, "There is no such mailbox")
	case errors.Is(err, mailbox.ErrInbox):
		return no(imap.ResponseCodeCannot, "INBOX cannot be deleted")
	case errors.Is(err, mailbox.ErrExists):
		return no(imap.ResponseCodeAlreadyExists, "There is a mailbox of that name already")
	case errors.As(err, &rate):
		return no(imap.ResponseCodeUnavailable, rate.Error())
	case errors.Is(err, accounts.ErrBadCredentials):
		return no(imap.ResponseCodeAuthenticationFailed, "Wrong user name or password")
	case errors.Is(err, login.ErrTLS):
		return no(imap.ResponseCodePrivacyRequired, err.Error())
	case errors.Is(err, login.ErrAuthorization):
		return no(imap.ResponseCodeAuthorizationFailed, err.Error())
	case errors.Is(err, login.ErrMechanism):
		return no(imap.ResponseCodeCannot, err.Error())
	case errors.Is(err, login.ErrProtocol):
		return bad(err.Error())
	case errors.Is(err, store.ErrTemporary), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return no(imap.ResponseCodeUnavailable, "The store cannot be reached or is full: nothing was changed, try again later")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &lost):
		return no(imap.ResponseCodeUnavailable, "The connection is lost")
	case errors.Is(err, store.ErrTooLarge):
		return no("TOOBIG", "The message is too large")
	case errors.Is(err, fs.ErrNotExist):
		return no(imap.ResponseCodeExpired, "The message is not there any more")
	}
	s.server.Log.Error("imap", "user", s.name(), "err", err)
	return no(imap.ResponseCodeServerBug, "Something is wrong in the server; its log says what")
}
