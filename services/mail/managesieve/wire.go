package managesieve

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	maxLine   = 8 << 10   // bytes of a line, without its literals
	maxEarly  = 4 << 10   // of a string before the log-in
	maxString = 128 << 10 // of a string after it: longer than any script may be, so that a longer one can be refused in words
	maxArgs   = 4
)

// errLong ends the connection: nobody reads a line without end.
var errLong = errors.New("the line is too long")

// A badError says why a command means nothing. All of the command has been read, and the next one may come.
type badError struct{ reason string }

func (e *badError) Error() string { return e.reason }

// A wire is a connection as commands and answers.
type wire struct {
	raw  net.Conn
	conn net.Conn // raw, or TLS on it
	tls  *tls.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	left int // bytes that the line may still have

	mu    sync.Mutex // guards what follows
	ended bool       // nothing is waited for any more
}

func newWire(conn net.Conn) *wire {
	return &wire{raw: conn, conn: conn, r: bufio.NewReaderSize(conn, 1<<10), w: bufio.NewWriterSize(conn, 1<<10)}
}

// startTLS makes the server's side of TLS of the connection.
func (w *wire) startTLS(config *tls.Config, deadline time.Time) error {
	w.tls = tls.Server(w.raw, config)
	w.wait(deadline)
	w.raw.SetWriteDeadline(deadline)
	if err := w.tls.Handshake(); err != nil {
		return err
	}
	w.conn = w.tls
	w.r.Reset(w.conn)
	w.w.Reset(w.conn)
	return nil
}

// interrupt ends all waiting for the client.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.raw.SetReadDeadline(time.Unix(1, 0))
}

// wait lets the client take until then.
func (w *wire) wait(until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.raw.SetReadDeadline(until)
	}
}

// quote writes a string: in quotation marks where it can be.
func quote(s string) string {
	if len(s) > 1000 || strings.ContainsAny(s, "\r\n\x00") {
		return fmt.Sprintf("{%d}\r\n%s", len(s), s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// say writes lines, each with its end.
func (w *wire) say(lines ...string) {
	for _, line := range lines {
		w.w.WriteString(line)
		w.w.WriteString("\r\n")
	}
}

// flush sends what was said.
func (w *wire) flush() error {
	w.raw.SetWriteDeadline(time.Now().Add(restTime))
	return w.w.Flush()
}

// bye says a last word.
func (w *wire) bye(code, text string) {
	w.say(answer("BYE", code, text))
	w.raw.SetWriteDeadline(time.Now().Add(closeTime))
	w.w.Flush()
}

// answer writes the last line of an answer.
func answer(word, code, text string) string {
	if code != "" {
		word += " " + code
	}
	return word + " " + quote(text)
}
