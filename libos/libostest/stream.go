package libostest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// exchange writes to one end and reads the same at the other.
func exchange(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	if _, err := from.Write([]byte(text)); err != nil {
		t.Fatalf("write: %v", err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil {
		t.Fatalf("read: %v", err)
	}
	if string(got) != text {
		t.Fatalf("read %q, want %q", got, text)
	}
}

func testEcho(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	for _, text := range []string{"hello", "x", string(bytes.Repeat([]byte("long "), 2000))} {
		exchange(t, a, b, text)
		exchange(t, b, a, text)
	}
}

func testAddresses(t *testing.T, s *side) {
	l := s.listen(t)
	a, b := s.connect(t, l)
	for _, c := range []struct {
		name      string
		got, want net.Addr
	}{
		{"A's peer", a.RemoteAddr(), l.Addr()},
		{"B's own", b.LocalAddr(), l.Addr()},
		{"B's peer", b.RemoteAddr(), a.LocalAddr()},
	} {
		if _, ok := c.got.(*net.TCPAddr); !ok {
			t.Errorf("%s address is a %T, want *net.TCPAddr", c.name, c.got)
		}
		if c.got.String() != c.want.String() || c.got.Network() != "tcp" {
			t.Errorf("%s address is %s %s, want tcp %s", c.name, c.got.Network(), c.got, c.want)
		}
	}
	if got := a.LocalAddr().(*net.TCPAddr).AddrPort(); got.Addr().Unmap() != s.a || got.Port() == 0 {
		t.Errorf("A's own address is %v, want a port of %v", got, s.a)
	}
}

// timedOut checks that an error is what the past of a deadline gives.
func timedOut(t *testing.T, what string, err error) {
	t.Helper()
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("%s after the deadline: %v, want os.ErrDeadlineExceeded", what, err)
	}
}

func testDeadlines(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	past := time.Now().Add(-time.Second)
	a.SetDeadline(past)
	_, err := a.Read(make([]byte, 1))
	timedOut(t, "Read", err)
	_, err = a.Write([]byte("x"))
	timedOut(t, "Write", err)

	a.SetDeadline(time.Now().Add(patience))
	exchange(t, a, b, "still there")
	exchange(t, b, a, "in both directions")
}

func testDeadlineWakes(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	a.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := a.Read(make([]byte, 1))
	timedOut(t, "a Read that waits", err)

	a.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, err = io.Copy(a, endless{}) // nobody reads: the buffers fill up
	timedOut(t, "a Write that waits", err)

	a.SetReadDeadline(time.Now().Add(patience))
	exchange(t, b, a, "reading has a deadline of its own")
}

// endless is a stream of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func testHalfClose(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	half, ok := a.(interface{ CloseWrite() error })
	if !ok {
		t.Fatalf("a %T has no CloseWrite", a)
	}
	a.Write([]byte("question"))
	if err := half.CloseWrite(); err != nil {
		t.Fatalf("CloseWrite: %v", err)
	}
	if got, err := io.ReadAll(b); err != nil || string(got) != "question" {
		t.Fatalf("read %q, %v, want all of the question", got, err)
	}
	exchange(t, b, a, "answer")
	b.Close()
	if got, err := io.ReadAll(a); err != nil || len(got) != 0 {
		t.Errorf("read %q, %v after the answer, want the end", got, err)
	}
}

func testCloseEndsRead(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	done := make(chan error)
	go func() {
		_, err := a.Read(make([]byte, 1))
		done <- err
	}()
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read of a closed connection: %v, want net.ErrClosed", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v, want net.ErrClosed", err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read at the other end: %d, %v, want io.EOF", n, err)
	}
}

func testCloseEndsAccept(t *testing.T, s *side) {
	l := s.listen(t)
	done := make(chan error)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	if err := l.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept of a closed listener: %v, want net.ErrClosed", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
	}
}

// testListenAgain takes a port, and takes it again when it has been closed while a
// connection lives on. On a network that is shared with others they may be quicker.
func testListenAgain(t *testing.T, s *side) {
	for range 5 {
		l := s.listen(t)
		addr := l.Addr().String()
		if _, err := s.B.Listen(s.ctx, "tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener at %s: %v, want EADDRINUSE", addr, err)
		}
		a, b := s.connect(t, l)
		l.Close()
		exchange(t, a, b, "what was accepted lives on")
		again, err := s.B.Listen(s.ctx, "tcp", addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatalf("listen again at %s: %v", addr, err)
		}
		defer again.Close()
		c, d := s.connect(t, again)
		exchange(t, c, d, "new")
		return
	}
	t.Error("no port can be listened on again")
}
