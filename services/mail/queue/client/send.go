package client

import (
	"errors"
	"fmt"
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

// exchange sends commands, all at once where the server allows it, and returns the replies, as
// many as came.
func (c *Conn) exchange(commands []string) ([]Reply, error) {
	var replies []Reply
	end := time.Now().Add(envelopeTime)
	limit := func() time.Duration { return min(commandTime, time.Until(end)) }
	if _, ok := c.Has("PIPELINING"); !ok {
		for i, command := range commands {
			r, err := c.ask(command, limit())
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
		r, _, err := c.reply(limit())
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
