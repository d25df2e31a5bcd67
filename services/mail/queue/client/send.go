package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A Transaction is one message for some recipients (RFC 5321 §3.3). Parameters that need an
// extension are for the caller to leave out where the server lacks it, but those of RFC 3461, SIZE
// and BODY=8BITMIME, which are left out here.
type Transaction struct {
	From       string // "" for the null one
	UTF8       bool   // SMTPUTF8
	RequireTLS bool   // REQUIRETLS
	EightBit   bool   // the message has bytes above 127
	Binary     bool   // BODY=BINARYMIME, by CHUNKING
	EnvID      string // ENVID, not yet encoded; "" for none
	Return     string // RET: FULL, HDRS or ""
	To         []Recipient
	Data       []byte // with CRLF line ends, unless Binary
	// Commit is asked, when it is set, right before the bytes by which the message becomes the
	// server's. Its error gives the transaction up, and the connection with it.
	Commit func() error
}

// A Recipient is one of a Transaction's.
type Recipient struct {
	Address  string
	Notify   string // NOTIFY (RFC 3461 §4.1), such as "SUCCESS,FAILURE" or ""
	Original string // ORCPT (RFC 3461 §4.2), such as "rfc822;alice@example.org", not yet encoded
}

// A Result is what came of a transaction.
type Result struct {
	// To has the answer for each recipient. Good means that the message is the server's now; the
	// zero Reply that there was no answer before the connection ended.
	To []Reply
	// Doubtful is set when the connection was lost between the end of the message and the reply to
	// that: the server may have it or not. The replies of those concerned are zero then.
	Doubtful bool

	wanted []bool // those for whom the server waits for the message
}

// ErrClosing is the error of a Send that the server has answered by 421: it closes the
// connection (RFC 5321 §3.8). The Result says so of each recipient.
var ErrClosing = errors.New("the server closes the connection")

// Send does one transaction. After an error the connection is of no use; the Result holds as far as
// it goes.
func (c *Conn) Send(t Transaction) (Result, error) {
	res := Result{To: make([]Reply, len(t.To)), wanted: make([]bool, len(t.To))}
	commands, err := c.commands(&t)
	if err != nil {
		return res, err
	}
	replies, err := c.exchange(commands)
	data, err := res.judge(replies, err)
	if err != nil {
		return res, err
	}
	switch {
	case data == (Reply{}) && !res.accepted():
		return res, c.reset()
	case t.Binary:
		return c.chunk(&t, res)
	case data == (Reply{}):
		if data, err = c.ask("DATA\r\n", dataTime); err != nil {
			return res, err
		}
	}
	switch {
	case data.Code == 354 && res.accepted():
		return c.message(&t, res)
	case data.Code == 354:
		return res, c.none()
	case data.Good():
		return res, &ProtocolError{fmt.Sprintf("%d in answer to DATA", data.Code)}
	}
	if err := res.settle(data); err != nil {
		return res, err
	}
	return res, c.reset()
}

// commands returns those that come before the message, one each.
func (c *Conn) commands(t *Transaction) ([]string, error) {
	for _, r := range t.To {
		if err := CheckAddress(r.Address); err != nil {
			return nil, err
		}
	}
	if t.From != "" {
		if err := CheckAddress(t.From); err != nil {
			return nil, err
		}
	}
	commands := []string{c.mail(t)}
	for _, r := range t.To {
		commands = append(commands, c.rcpt(r))
	}
	if _, ok := c.Has("PIPELINING"); ok && !t.Binary {
		commands = append(commands, "DATA\r\n")
	}
	return commands, nil
}

func (c *Conn) mail(t *Transaction) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL FROM:<%s>", path(t.From))
	_, eight := c.Has("8BITMIME")
	switch {
	case t.Binary:
		b.WriteString(" BODY=BINARYMIME")
	case t.EightBit && eight:
		b.WriteString(" BODY=8BITMIME")
	}
	if _, ok := c.Has("SIZE"); ok {
		fmt.Fprintf(&b, " SIZE=%d", len(t.Data))
	}
	if t.UTF8 {
		b.WriteString(" SMTPUTF8")
	}
	if t.RequireTLS {
		b.WriteString(" REQUIRETLS")
	}
	if _, ok := c.Has("DSN"); ok {
		if t.Return != "" {
			b.WriteString(" RET=" + t.Return)
		}
		if t.EnvID != "" {
			b.WriteString(" ENVID=" + xtext(t.EnvID))
		}
	}
	return b.String() + "\r\n"
}

func (c *Conn) rcpt(r Recipient) string {
	s := fmt.Sprintf("RCPT TO:<%s>", path(r.Address))
	if _, ok := c.Has("DSN"); ok {
		if r.Notify != "" {
			s += " NOTIFY=" + r.Notify
		}
		if r.Original != "" {
			s += " ORCPT=" + EncodeOriginal(r.Original)
		}
	}
	return s + "\r\n"
}

// exchange sends commands, all at once where the server allows it, and returns the replies, as
// many as came.
func (c *Conn) exchange(commands []string) ([]Reply, error) {
	var replies []Reply
	if _, ok := c.Has("PIPELINING"); !ok {
		for i, command := range commands {
			r, err := c.ask(command, commandTime)
			if err != nil {
				return replies, err
			}
			replies = append(replies, r)
			if r.Code == 421 || i == 0 && !r.Good() {
				break
			}
		}
		return replies, nil
	}
	// What they say while we are still talking is read meanwhile: else both could wait for ever.
	wrote := make(chan error, 1)
	go func() { wrote <- c.write(strings.Join(commands, "")) }()
	for range commands {
		r, _, err := c.reply(commandTime)
		if err != nil {
			c.nc.SetDeadline(time.Now()) // which ends the writing
			<-wrote
			return replies, err
		}
		replies = append(replies, r)
		if r.Code == 421 {
			break
		}
	}
	if replies[len(replies)-1].Code == 421 {
		c.nc.SetDeadline(time.Now())
	}
	return replies, <-wrote
}

// ask sends one command and waits for the reply.
func (c *Conn) ask(command string, limit time.Duration) (Reply, error) {
	if err := c.write(command); err != nil {
		return Reply{}, err
	}
	r, _, err := c.reply(limit)
	return r, err
}

// judge takes the replies to MAIL and RCPT and returns that to DATA, if there was one. err is
// how reading them ended.
func (r *Result) judge(replies []Reply, err error) (data Reply, _ error) {
	if len(replies) == 0 {
		return data, err
	}
	mail, last := replies[0], replies[len(replies)-1]
	for i := range r.To {
		switch {
		case !mail.Good():
			r.To[i] = mail
		case i+1 < len(replies) && replies[i+1].Good():
			r.wanted[i] = true
		case i+1 < len(replies):
			r.To[i] = replies[i+1]
		case last.Code == 421:
			r.To[i] = last
		}
	}
	if last.Code == 421 {
		return data, r.settle(last)
	}
	if len(replies) == len(r.To)+2 {
		data = last
	}
	return data, err
}

// accepted reports whether the server wants the message for anybody.
func (r *Result) accepted() bool { return slices.Contains(r.wanted, true) }

// settle gives a reply to all for whom the server waits for the message.
func (r *Result) settle(data Reply) error {
	for i, wanted := range r.wanted {
		if wanted {
			r.To[i] = data
		}
	}
	if data.Code == 421 {
		return ErrClosing
	}
	return nil
}

// message sends the message and takes the reply. Bytes that are not all sent are nothing to
// the server, so that there is no doubt before the last of them.
func (c *Conn) message(t *Transaction, res Result) (Result, error) {
	w := bufio.NewWriterSize(newSlowWriter(c.nc, len(t.Data)), 64<<10)
	err := stuff(w, t.Data)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		// It has stopped listening in the middle, and may have said why.
		if r, _, why := c.reply(quitTime); why == nil && !r.Good() {
			res.settle(r)
		}
		return res, err
	}
	return c.finish(t, res, []byte(".\r\n"))
}

// finish sends the bytes that make the message the server's and waits for what it says.
func (c *Conn) finish(t *Transaction, res Result, last []byte) (Result, error) {
	if t.Commit != nil {
		if err := t.Commit(); err != nil {
			return res, err
		}
	}
	if _, err := newSlowWriter(c.nc, len(last)).Write(last); err != nil {
		res.Doubtful = true
		return res, err
	}
	r, _, err := c.reply(finalTime)
	if err != nil {
		res.Doubtful = true
		return res, err
	}
	return res, res.settle(r)
}

// chunk sends a binary message in one chunk (RFC 3030).
func (c *Conn) chunk(t *Transaction, res Result) (Result, error) {
	if err := c.write(fmt.Sprintf("BDAT %d LAST\r\n", len(t.Data))); err != nil {
		return res, err
	}
	return c.finish(t, res, t.Data)
}

// none ends a message that nobody gets, where the server asks for one all the same (RFC 2920 §3.1).
func (c *Conn) none() error {
	r, err := c.ask(".\r\n", finalTime)
	if err == nil && r.Code == 421 {
		err = ErrClosing
	}
	return err
}

// reset forgets a transaction that has not come to its end.
func (c *Conn) reset() error {
	r, err := c.ask("RSET\r\n", commandTime)
	switch {
	case err == nil && r.Code == 421:
		return ErrClosing
	case err == nil && !r.Good():
		return &r
	}
	return err
}

// slowWriter gives each write time of its own, as RFC 5321 §4.5.3.2.5 does each block, but all of
// them together an end.
type slowWriter struct {
	nc  net.Conn
	end time.Time
}

func newSlowWriter(nc net.Conn, size int) slowWriter {
	return slowWriter{nc, time.Now().Add(finalTime + time.Duration(size/slowest)*time.Second)}
}

func (w slowWriter) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		deadline := time.Now().Add(writeTime)
		if deadline.After(w.end) {
			deadline = w.end
		}
		w.nc.SetWriteDeadline(deadline)
		var m int
		m, err = w.nc.Write(b[n:min(len(b), n+64<<10)])
		n += m
	}
	return n, err
}

// stuff writes a message with its dots doubled (RFC 5321 §4.5.2) and its last line ended.
func stuff(w *bufio.Writer, data []byte) error {
	if len(data) > 0 && data[0] == '.' {
		w.WriteByte('.')
	}
	rest := data
	for {
		i := bytes.Index(rest, []byte("\n."))
		if i < 0 {
			break
		}
		w.Write(rest[:i+2])
		w.WriteByte('.')
		rest = rest[i+2:]
	}
	_, err := w.Write(rest)
	if !bytes.HasSuffix(data, []byte("\r\n")) && len(data) > 0 {
		_, err = w.WriteString("\r\n")
	}
	return err
}
