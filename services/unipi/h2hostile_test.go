package unipi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// post opens a stream whose body is still to come.
func (p *peer) post(id uint32, path string, more ...string) error {
	fields := append([]string{":method=POST", ":scheme=https", ":authority=localhost", ":path=" + path}, more...)
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(fields...), EndHeaders: true})
}

// getBig asks for 2 MiB.
func (p *peer) getBig(id uint32) error {
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(":method=GET", ":scheme=https", ":authority=localhost", ":path=/big.bin"), EndStream: true, EndHeaders: true})
}

// greedy opens all windows wide.
func (p *peer) greedy() {
	_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	_ = p.WriteWindowUpdate(0, 1<<30)
}

// find reads frames until one is what was waited for.
func (p *peer) find(is func(http2.Frame) bool) error {
	for {
		f, err := p.ReadFrame()
		if err != nil || is(f) {
			return err
		}
	}
}

// until is find where nothing may go wrong.
func (p *peer) until(t *testing.T, is func(http2.Frame) bool) {
	t.Helper()
	if err := p.find(is); err != nil {
		t.Fatal(err)
	}
}

// hookSites is a site with a webhook that reads whatever it is told.
func hookSites(t testing.TB) *Sites {
	s := wireSites(t, nil)
	s.Webhook = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	return s
}

// TestHTTP2TableSize shrinks HPACK's table: the next header must begin with an
// update that obeys (RFC 9113, section 4.3.1), which nghttp2 insists on.
func TestHTTP2TableSize(t *testing.T) {
	addr := listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS()})
	for _, sizes := range [][]uint32{{0}, {1024}, {0, 4096}, {100, 200}} {
		p := newPeer(t, addr)
		for _, size := range sizes {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: size})
		}
		_ = p.get(1)
		_ = p.get(3)
		_ = p.WritePing(false, [8]byte{})
		blocks := 0
		p.until(t, func(f http2.Frame) bool {
			if h, is := f.(*http2.HeadersFrame); is {
				if got := h.HeaderBlockFragment()[0]; got>>5 == 1 != (blocks == 0) || got>>5 == 1 && got != 0x20 {
					t.Errorf("table of %d: block %d begins with %#x, want a size update to 0 in the first only", sizes, blocks, got)
				}
				blocks++
			}
			_, is := f.(*http2.PingFrame)
			return is
		})
		if blocks != 2 {
			t.Errorf("got %d answers, want 2", blocks)
		}
	}
}

// raw returns the bytes of a frame.
func raw(kind http2.FrameType, flags http2.Flags, stream uint32, payload []byte) []byte {
	return append(appendFrame(nil, kind, flags, stream, len(payload)), payload...)
}

// TestHTTP2Straddle sends frames so that every packet ends within one: what was
// asked for is answered all the same, at once and for as long as it goes on.
func TestHTTP2Straddle(t *testing.T) {
	withClocks(t, func(clock time.Duration) error {
		p := newPeer(t, listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS(), Limits: Limits{Head: clock}}))
		next := func(id uint32) []byte {
			return raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, id, bytes.Clone(p.block(getFields...)))
		}
		rest := next(1)
		err := p.find(func(f http2.Frame) bool { s, is := f.(*http2.SettingsFrame); return is && !s.IsAck() })
		began := time.Now()
		_ = p.WriteWindowUpdate(0, 1<<30)
		for id := uint32(1); err == nil && time.Since(began) < 3*clock; id += 2 {
			after := next(id + 2)
			if _, err = p.c.Write(append(bytes.Clone(rest), after[:5]...)); err != nil {
				break
			}
			rest = after[5:]
			err = p.find(func(f http2.Frame) bool {
				return f.Header().StreamID == id && f.Header().Type == http2.FrameData && f.Header().Flags.Has(http2.FlagDataEndStream)
			})
		}
		if err != nil {
			return fmt.Errorf("after %v: %w", time.Since(began), err)
		}
		return nil
	})
}

// TestHTTP2HeldBack sends a webhook's report in small frames, none of which ends
// where a packet does, and reads nothing: what waits to be written stays small.
func TestHTTP2HeldBack(t *testing.T) {
	s := &Server{Handler: hookSites(t), TLS: testTLS(), Limits: Limits{Stall: patienceOfTests}}
	addr := listen(t, s)
	p := newPeer(t, addr)
	_ = p.post(1, WebhookPath)
	one := raw(http2.FrameData, 0, 1, []byte("x"))
	many := bytes.Repeat(one, 300)
	_, _ = p.c.Write(many[:5])
	go func() {
		for sent := 0; sent < 1<<20-300; sent += 300 {
			if _, err := p.c.Write(append(bytes.Clone(many[5:]), many[:5]...)); err != nil {
				return
			}
		}
	}()
	poll(time.Second, func() bool {
		s.h2.mu.Lock()
		defer s.h2.mu.Unlock()
		for c := range s.h2.open {
			c.mu.Lock()
			n := len(c.out)
			c.mu.Unlock()
			if n > 2*h2Batch {
				t.Errorf("%d bytes wait to be written", n)
				return true
			}
		}
		return false
	})
}

// TestHTTP2StalledStream reads nothing of one stream: that stream ends, and
// the others do not suffer.
func TestHTTP2StalledStream(t *testing.T) {
	withClocks(t, func(clock time.Duration) error {
		p := newPeer(t, listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS(), Limits: Limits{Stall: clock, Idle: patienceOfTests}}))
		_ = p.WriteWindowUpdate(0, 1<<30)
		_ = p.getBig(1)
		err := p.find(func(f http2.Frame) bool {
			r, is := f.(*http2.RSTStreamFrame)
			return is && r.StreamID == 1
		})
		if err != nil {
			return fmt.Errorf("before the stream was reset: %w", err)
		}
		_ = p.get(3)
		return p.find(func(f http2.Frame) bool { return f.Header().StreamID == 3 && f.Header().Type == http2.FrameData })
	})
}

// TestHTTP2Deaf grants all windows and reads nothing: the connection ends.
func TestHTTP2Deaf(t *testing.T) {
	withClocks(t, func(clock time.Duration) error {
		s := &Server{Handler: wireSites(t, nil), TLS: testTLS(), Limits: Limits{Stall: clock, Idle: 10 * patienceOfTests}}
		p := newPeer(t, listen(t, s))
		p.greedy()
		for id := uint32(1); id < 60; id += 2 {
			_ = p.getBig(id)
		}
		if err := p.find(func(f http2.Frame) bool { return f.Header().Type == http2.FrameData }); err != nil {
			return err
		}
		if !poll(patienceOfTests, func() bool {
			s.h2.mu.Lock()
			defer s.h2.mu.Unlock()
			return len(s.h2.open) == 0
		}) {
			return errors.New("the connection is still open")
		}
		return nil
	})
}

// TestHTTP2EndlessBody trickles a webhook's report: it is given up.
func TestHTTP2EndlessBody(t *testing.T) {
	p := newPeer(t, listen(t, &Server{Handler: hookSites(t), TLS: testTLS(), Limits: Limits{Stall: 50 * time.Millisecond}}))
	_ = p.post(1, WebhookPath)
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			if p.WriteData(1, false, []byte("x")) != nil {
				return
			}
		}
	}()
	p.until(t, func(f http2.Frame) bool {
		r, is := f.(*http2.RSTStreamFrame)
		return is && r.StreamID == 1 && r.ErrCode == http2.ErrCodeCancel
	})
}

// TestHTTP2ShutdownStalled stops a server whose client reads nothing: it takes
// no longer than it may.
func TestHTTP2ShutdownStalled(t *testing.T) {
	s := &Server{Handler: wireSites(t, nil), TLS: testTLS(), Limits: Limits{Stall: 10 * patienceOfTests}}
	addr := listen(t, s)
	p := newPeer(t, addr)
	p.greedy()
	for id := uint32(1); id < 40; id += 2 {
		_ = p.getBig(id)
	}
	p.until(t, func(f http2.Frame) bool { return f.Header().Type == http2.FrameData })
	poll(2*time.Second, func() bool { // until the buffers between us are full
		s.h2.mu.Lock()
		defer s.h2.mu.Unlock()
		for c := range s.h2.open {
			if c.flushing.TryLock() {
				c.flushing.Unlock()
				return false
			}
		}
		return true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(began); took > patienceOfTests {
		t.Errorf("Shutdown took %v, and may take 300 ms", took)
	}
}

// poll waits until something is so.
func poll(limit time.Duration, is func() bool) bool {
	deadline := time.After(limit)
	for tick := time.Tick(5 * time.Millisecond); ; {
		if is() {
			return true
		}
		select {
		case <-tick:
		case <-deadline:
			return false
		}
	}
}
