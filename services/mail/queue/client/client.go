// Package client speaks SMTP to somebody else's server (RFC 5321), from the greeting to QUIT,
// one transaction after another:
//
//	c := client.New(conn)
//	err := c.Greet()
//	err = c.Hello("mail.example.org")
//	err = c.StartTLS(ctx, config)          // and Hello again
//	result, err := c.Send(client.Transaction{From: …, To: …, Data: …})
//	c.Quit()
//
// It knows PIPELINING (RFC 2920: a transaction takes two round trips, however many recipients it
// has), STARTTLS (RFC 3207), AUTH (RFC 4954), SIZE, 8BITMIME, CHUNKING and BINARYMIME (RFC 3030),
// SMTPUTF8 (RFC 6531), DSN (RFC 3461) and REQUIRETLS (RFC 8689).
//
// What a server says is bounded in time and size: a line by 4 KiB, a reply by 64 KiB, each reply
// by the minutes of RFC 5321 §4.5.3.2. Texts of replies are made printable before anybody sees them.
//
// A *Reply is the error of a server that has answered; the connection can be used further unless
// it says 421. Any other error is the end of the connection.
//
// # Caveats
//
// The client of go-smtp waits for each reply before the next command, cannot say its name before
// STARTTLS, cannot leave out BODY=8BITMIME, and reads replies of any length; hence this one.
package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// How long a server may take (RFC 5321 §4.5.3.2), also for all that comes before a message together,
// and one write of at most 64 KiB.
const (
	greetingTime = 5 * time.Minute
	commandTime  = 5 * time.Minute
	envelopeTime = 15 * time.Minute
	dataTime     = 2 * time.Minute
	finalTime    = 10 * time.Minute
	writeTime    = 3 * time.Minute
	slowest      = 8 << 10 // bytes a second that a message must get on, beyond finalTime
	tlsTime      = 2 * time.Minute
	quitTime     = 5 * time.Second
)

// A Conn is a conversation with a server. It is for one goroutine; Close may come from any.
type Conn struct {
	nc         net.Conn
	r          *bufio.Reader
	extensions map[string]string // keyword in upper case → parameters
	state      *tls.ConnectionState
}

// New returns a conversation over nc, which becomes its own.
func New(nc net.Conn) *Conn { return &Conn{nc: nc, r: bufio.NewReaderSize(nc, maxLine)} }

// Close ends the connection at once.
func (c *Conn) Close() error { return c.nc.Close() }

// Greet waits for the server's greeting. One that is not 220 is a *Reply.
func (c *Conn) Greet() error {
	_, err := c.expect(220, greetingTime)
	return err
}

// Hello says who we are, with EHLO and, to a server that does not know that, HELO. It is said
// again after StartTLS. One that refuses us gives a *Reply.
func (c *Conn) Hello(name string) error {
	c.extensions = map[string]string{}
	if err := c.write("EHLO " + name + "\r\n"); err != nil {
		return err
	}
	lines, err := c.expect(250, commandTime)
	if no, ok := errors.AsType[*Reply](err); ok && no.Code/100 == 5 {
		if err := c.write("HELO " + name + "\r\n"); err != nil {
			return err
		}
		_, err = c.expect(250, commandTime)
		return err
	}
	if err != nil {
		return err
	}
	for _, line := range lines[1:] {
		keyword, args, _ := strings.Cut(line, " ")
		c.extensions[strings.ToUpper(keyword)] = args
	}
	return nil
}

// Has reports whether the server has announced an extension, named in upper case, and with
// what parameters.
func (c *Conn) Has(extension string) (args string, ok bool) {
	args, ok = c.extensions[extension]
	return args, ok
}

// TLS returns what was agreed on; nil without TLS.
func (c *Conn) TLS() *tls.ConnectionState { return c.state }

// StartTLS asks for TLS (RFC 3207), when the server Has STARTTLS. After an error the connection is
// of no use.
func (c *Conn) StartTLS(ctx context.Context, config *tls.Config) error {
	if err := c.write("STARTTLS\r\n"); err != nil {
		return err
	}
	if _, err := c.expect(220, commandTime); err != nil {
		return err
	}
	if c.r.Buffered() > 0 {
		return &ProtocolError{"something before the TLS handshake"} // which nobody has vouched for
	}
	return c.handshake(ctx, config)
}

// Handshake makes TLS before anything is said, where a port is for that (RFC 8314 §3.3).
func (c *Conn) Handshake(ctx context.Context, config *tls.Config) error {
	return c.handshake(ctx, config)
}

func (c *Conn) handshake(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, tlsTime)
	defer cancel()
	c.nc.SetDeadline(time.Time{})
	t := tls.Client(c.nc, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	state := t.ConnectionState()
	c.nc, c.r, c.extensions, c.state = t, bufio.NewReaderSize(t, maxLine), nil, &state
	return nil
}

// Quit says good-bye and closes the connection.
func (c *Conn) Quit() {
	defer c.Close()
	c.nc.SetDeadline(time.Now().Add(quitTime))
	if _, err := c.nc.Write([]byte("QUIT\r\n")); err == nil {
		c.readReply()
	}
}

// write sends commands. Deadlines of connections are by the machine's clock.
func (c *Conn) write(commands string) error {
	c.nc.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := c.nc.Write([]byte(commands))
	return err
}

// expect waits for a reply of this code and returns its lines.
func (c *Conn) expect(code int, limit time.Duration) (lines []string, err error) {
	r, lines, err := c.reply(limit)
	if err == nil && r.Code != code {
		err = &r
	}
	return lines, err
}

// reply waits for any reply.
func (c *Conn) reply(limit time.Duration) (Reply, []string, error) {
	c.nc.SetReadDeadline(time.Now().Add(limit))
	return c.readReply()
}
