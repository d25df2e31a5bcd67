package client

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"time"
)

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
