package imap

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"
)

// A wire is a connection as bytes: what lies below commands and responses. It has
// buffers, time limits, TLS and compression (RFC 4978). One goroutine reads; what is
// written may come from several.
type wire struct {
	raw  net.Conn      // as accepted
	in   io.Reader     // what clients say: of raw, with TLS and compression undone
	tls  *tls.Conn     // nil without
	slow time.Time     // when the literal that is being read has to be here
	buf  [1 << 10]byte // long enough for most commands; 1,000 idle clients have one each
	have []byte        // of buf, not read yet

	mu     sync.Mutex // guards what follows
	conn   net.Conn   // raw, or TLS on it
	out    []byte     // not sent yet
	zip    bool
	failed error // of the last write
}

func soon(d time.Duration) time.Time { return time.Now().Add(d) }

// startTLS makes the server's side of TLS of the connection; the handshake comes with
// the next byte.
func (w *wire) startTLS(config *tls.Config) {
	w.tls = tls.Server(w.raw, config)
	w.in = w.tls
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = w.tls
}

// handshake ends when TLS is there, if it is to be.
func (w *wire) handshake(deadline time.Time) error {
	if w.tls == nil {
		return nil
	}
	w.raw.SetDeadline(deadline)
	return w.tls.Handshake()
}

// compress makes both directions DEFLATE streams. The writer has no memory of what it
// wrote before, which would take half a megabyte for each connection.
func (w *wire) compress() {
	w.in = newInflater(io.MultiReader(bytes.NewReader(bytes.Clone(w.have)), w.in))
	w.have = nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.zip = true
}

func (w *wire) compressed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.zip
}

// fill sends what is to be sent and waits for more to read.
func (w *wire) fill(deadline time.Time) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.raw.SetReadDeadline(deadline)
	n, err := w.in.Read(w.buf[:])
	w.have = w.buf[:n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// line appends the next line, with its end, to b. More than limit bytes are errLong. The
// first byte has until first, which restTime follows.
func (w *wire) line(b []byte, limit int, first time.Time) ([]byte, error) {
	for {
		i := bytes.IndexByte(w.have, '\n') + 1
		if i == 0 {
			i = len(w.have)
		}
		if i > limit {
			return b, errLong
		}
		b, limit = append(b, w.have[:i]...), limit-i
		ended := i > 0 && w.have[i-1] == '\n'
		if w.have = w.have[i:]; ended {
			return b, nil
		}
		if err := w.fill(first); err != nil {
			if len(b) > 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return b, err
		}
		first = earlier(first, soon(restTime))
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// literal gives the client time for a literal of n bytes: 8 KiB a second and a minute.
func (w *wire) literal(n int64) { w.slow = soon(restTime + time.Duration(n>>13)*time.Second) }

// Read reads some bytes of a literal.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.have) == 0 && len(p) >= len(w.buf) {
		if err := w.flush(); err != nil {
			return 0, err
		}
		w.raw.SetReadDeadline(earlier(w.slow, soon(restTime)))
		return w.in.Read(p)
	}
	if len(w.have) == 0 {
		if err := w.fill(earlier(w.slow, soon(restTime))); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.have)
	w.have = w.have[n:]
	return n, nil
}

// outBuffer is when output is sent that nobody waits for yet.
const outBuffer = 32 << 10

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, outBuffer+4<<10); return &b }}

// send takes bytes to be sent.
func (w *wire) send(p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		w.out = *outBuffers.Get().(*[]byte)
	}
	for len(p) > 0 && w.failed == nil {
		n := min(len(p), max(0, outBuffer-len(w.out)))
		w.out, p = append(w.out, p[:n]...), p[n:]
		if len(w.out) >= outBuffer {
			w.push(writeTime)
		}
	}
	return w.failed
}

// flush sends what has been taken.
func (w *wire) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.push(writeTime)
	return w.failed
}

// push is flush with the lock held.
func (w *wire) push(limit time.Duration) {
	if len(w.out) > 0 && w.failed == nil {
		w.raw.SetWriteDeadline(soon(limit))
		if w.zip {
			w.failed = flate.StatelessDeflate(w.conn, w.out, false, nil)
		} else {
			_, w.failed = w.conn.Write(w.out)
		}
	}
	if w.out != nil {
		b := w.out[:0]
		outBuffers.Put(&b)
		w.out = nil
	}
}

// close says a last word, if the client takes it, and closes the connection.
func (w *wire) close(last string) error {
	w.raw.SetDeadline(soon(closeTime)) // whoever is writing is done by then
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, last...)
	w.push(closeTime)
	if w.failed == nil {
		w.failed = net.ErrClosed
	}
	return w.conn.Close()
}
