package libostest

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// testReset has the other end go away with something unread: that is a reset, for
// whoever reads, and writing is over.
func testReset(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	if _, err := a.Write([]byte("two")); err != nil {
		t.Fatalf("write: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); err != nil {
		t.Fatalf("read: %v", err)
	}
	b.Close()
	if n, err := a.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read after a reset: %d, %v, want ECONNRESET", n, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Write after a reset: %v, want EPIPE or ECONNRESET", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("Close after a reset: %v", err)
	}
	if err := a.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close again: %v, want net.ErrClosed", err)
	}
}

// testCopyFrom has a copy to a connection wait for more: others may write meanwhile.
func testCopyFrom(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	from, to := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := io.Copy(a, from)
		done <- err
	}()
	to.Write([]byte("copied"))
	want(t, b, "copied")
	exchange(t, a, b, "written meanwhile")
	a.SetWriteDeadline(time.Now().Add(-time.Second))
	_, err := a.Write([]byte("x"))
	timedOut(t, "a Write beside a copy", err)
	a.SetWriteDeadline(time.Time{})
	to.Write([]byte("copied again"))
	want(t, b, "copied again")
	broken := errors.New("broken")
	to.CloseWithError(broken)
	if err := <-done; !errors.Is(err, broken) {
		t.Errorf("copy: %v, want the reader's own error", err)
	}
}

// testCopyTo has a copy from a connection wait for its writer: others may read meanwhile.
func testCopyTo(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	from, to := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := io.Copy(to, a)
		done <- err
	}()
	b.Write([]byte("copied"))
	want(t, from, "c") // the rest keeps the copy waiting
	a.SetReadDeadline(time.Now().Add(-time.Second))
	_, err := a.Read(make([]byte, 1))
	timedOut(t, "a Read beside a copy", err)
	want(t, from, "opied")
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("copy after the deadline: %v, want os.ErrDeadlineExceeded", err)
	}
	a.SetReadDeadline(time.Now().Add(patience))
	exchange(t, b, a, "read after a copy")
}

// want reads what is expected.
func want(t *testing.T, r io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v, want %q", got, err, text)
	}
}
