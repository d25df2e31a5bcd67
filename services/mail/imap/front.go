package imap

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A front stands between a client and the library, to which it is the connection. It
// hands the library one command at a time, keeps those to itself that the library
// does not know, and looks through what the library answers.
//
// The library reads only when it is done with what it was given, so all of this
// happens on its goroutine, one command after another, and nobody else writes
// meanwhile; but in IDLE, session.Idle writes while the library waits for DONE.
type front struct {
	server  *Server
	session *session // set before the library reads or writes
	from    netip.Addr
	wire    wire
	leave   func(*front)
	began   time.Time

	cmd     *command
	feed    []byte   // of cmd, what the library has not read
	fed     int      // pieces of cmd that it was given
	left    int64    // of the message that is being appended
	free    func()   // gives back what it takes of the budget
	bad     int      // commands without meaning in a row
	enables []string // what ENABLE names that the library does not know
	broken  error    // what ends the connection when the library has answered

	mu      sync.Mutex // guards what follows: it changes with what the library writes
	done    bool       // cmd has got its answer
	asked   bool       // the library waits for a line that is no command
	midline bool       // what the library wrote last was no whole line
	code    string     // goes into the answer's OK
	tail    []byte     // goes before the answer
	status  string     // goes into the next STATUS response
	wrong   bool       // IDLE ended with something else than DONE

	closing sync.Once
}

func newFront(s *Server, conn net.Conn, from netip.Addr, leave func(*front)) *front {
	f := &front{server: s, from: from, leave: leave, began: time.Now(), done: true, free: func() {}}
	f.wire.raw, f.wire.conn, f.wire.in = conn, conn, conn
	return f
}

// Read implements net.Conn for the library.
func (f *front) Read(p []byte) (int, error) {
	for {
		if f.answered() {
			if err := f.next(); err != nil {
				return 0, f.end(err)
			}
		}
		if n, err := f.rest(p); n > 0 || err != nil {
			if err != nil {
				err = f.end(err)
			}
			return n, err
		}
	}
}

func (f *front) answered() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// next takes commands until there is one for the library.
func (f *front) next() error {
	if err := f.skip(); err != nil {
		return err
	}
	f.feed = nil
	for {
		if f.cmd != nil { // it may be long, and the wait for the next one too
			f.cmd.text, f.cmd.pieces = nil, nil
		}
		f.free()
		f.free = func() {}
		if f.bad >= maxBad {
			f.broken = errNonsense
		}
		if f.broken != nil {
			return f.broken
		}
		cmd, err := f.readCommand(f.patience())
		var bad *badCommand
		if errors.As(err, &bad) {
			if err = f.answer(bad.tag, "", bad.err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		f.begin(cmd)
		mine, err := f.dispatch(cmd)
		if err != nil {
			return err
		}
		if !mine {
			return nil
		}
	}
}

// patience is how long the client may wait with its next command.
func (f *front) patience() time.Time {
	if f.session.loggedIn() {
		return soon(idleTime)
	}
	return f.began.Add(loginTime)
}

func (f *front) begin(cmd *command) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cmd, f.feed, f.fed = cmd, nil, 0
	f.done, f.asked = false, false
	f.code, f.tail, f.status, f.wrong = "", nil, "", false
}

// Write implements net.Conn for the library.
func (f *front) Write(p []byte) (int, error) {
	if f.cmd == nil { // the greeting, which depends on what TLS was agreed on
		if err := f.wire.handshake(f.patience()); err != nil {
			return 0, f.end(err)
		}
	}
	f.mu.Lock()
	out := p
	if !f.midline {
		out = f.amend(p)
	}
	f.midline = !bytes.HasSuffix(p, []byte("\n"))
	idle := f.cmd != nil && f.cmd.name == "IDLE"
	f.mu.Unlock()
	err := f.wire.send(out)
	if err == nil && idle {
		err = f.wire.flush()
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// end ends the connection and tells the client why.
func (f *front) end(err error) error {
	var late net.Error
	var last parting
	switch {
	case errors.As(err, &late) && late.Timeout() && !f.session.loggedIn():
		f.wire.close("* BYE Log in within a minute\r\n")
	case errors.As(err, &late) && late.Timeout():
		f.wire.close("* BYE Nothing was heard for too long\r\n")
	case errors.As(err, &last):
		f.wire.close("* BYE " + last.Error() + "\r\n")
	}
	return io.EOF
}

// bye ends the connection from outside.
func (f *front) bye(text string) { f.wire.close("* BYE " + text + "\r\n"); f.Close() }

// Close implements net.Conn.
func (f *front) Close() error {
	err := f.wire.close("")
	f.closing.Do(func() { f.leave(f) })
	return err
}

func (f *front) LocalAddr() net.Addr  { return f.wire.raw.LocalAddr() }
func (f *front) RemoteAddr() net.Addr { return f.wire.raw.RemoteAddr() }

// The library's ideas about time are not heeded: the wire has its own.

func (f *front) SetDeadline(time.Time) error      { return nil }
func (f *front) SetReadDeadline(time.Time) error  { return nil }
func (f *front) SetWriteDeadline(time.Time) error { return nil }
