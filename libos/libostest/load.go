package libostest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// echo answers on every connection with what it reads, until the listener is closed.
func echo(t *testing.T, l net.Listener) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("accept: %v", err)
				}
				return
			}
			wg.Go(func() {
				defer c.Close()
				io.Copy(c, c)
			})
		}
	})
	return wg.Wait
}

// testManyConnections has many open at once.
func testManyConnections(t *testing.T, s *side) {
	const dialers, each = 20, 10
	l := s.listen(t)
	served := echo(t, l)
	var wg sync.WaitGroup
	for range dialers {
		wg.Go(func() {
			for i := range each {
				c, err := s.A.Dial(s.ctx, "tcp", l.Addr().String())
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				defer c.Close()
				text := numbered(i)
				got := make([]byte, len(text))
				if _, err := c.Write(text); err != nil {
					t.Errorf("write: %v", err)
				}
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, text) {
					t.Errorf("read: %v, or not what was written", err)
				}
			}
		})
	}
	wg.Wait()
	l.Close()
	served()
}

// bulk is how much testBulk sends each way, in bytes.
const bulk = 8 << 20

// testBulk fills a connection in both directions at once.
func testBulk(t *testing.T, s *side) {
	a, b := s.connect(t, s.listen(t))
	var wg sync.WaitGroup
	for i, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		want, got := sha256.New(), sha256.New()
		var sent, read sync.WaitGroup
		sent.Go(func() {
			source := rand.NewChaCha8([32]byte{byte(i)})
			if _, err := io.Copy(pair[0], io.TeeReader(io.LimitReader(source, bulk), want)); err != nil {
				t.Errorf("write: %v", err)
			}
			pair[0].(interface{ CloseWrite() error }).CloseWrite()
		})
		read.Go(func() {
			if n, err := io.Copy(got, pair[1]); n != bulk || err != nil {
				t.Errorf("read %d bytes, %v, want %d", n, err, bulk)
			}
		})
		wg.Go(func() {
			sent.Wait()
			read.Wait()
			if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Error("what was read is not what was written")
			}
		})
	}
	wg.Wait()
}
