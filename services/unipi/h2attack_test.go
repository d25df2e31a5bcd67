package unipi

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A peer is an HTTP/2 client that does what it is told.
type peer struct {
	*http2.Framer
	c   *tls.Conn
	enc *hpack.Encoder
	buf bytes.Buffer
}

func newPeer(t *testing.T, addr string) *peer {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patienceOfTests))
	p := &peer{Framer: http2.NewFramer(c, c), c: c}
	p.enc = hpack.NewEncoder(&p.buf)
	p.AllowIllegalWrites = true
	_, _ = io.WriteString(c, http2.ClientPreface)
	_ = p.WriteSettings()
	return p
}

func (p *peer) block(fields ...string) []byte {
	p.buf.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		_ = p.enc.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return p.buf.Bytes()
}

var getFields = []string{":method=GET", ":scheme=https", ":authority=localhost", ":path=/"}

func (p *peer) get(id uint32, more ...string) error {
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(append(getFields[:4:4], more...)...), EndStream: true, EndHeaders: true})
}

// end reads until the connection ends and returns the GOAWAY's code, -1
// without one.
func (p *peer) end(t *testing.T) (code int, resets map[uint32]http2.ErrCode) {
	code, resets = -1, map[uint32]http2.ErrCode{}
	for {
		f, err := p.ReadFrame()
		switch f := f.(type) {
		case *http2.GoAwayFrame:
			code = int(f.ErrCode)
		case *http2.RSTStreamFrame:
			resets[f.StreamID] = f.ErrCode
		}
		if err != nil {
			var timeout interface{ Timeout() bool }
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection is still open")
			}
			return code, resets
		}
	}
}

// TestHTTP2Hostile attacks with frames: each ends the connection with the
// right code, or the stream alone, and the server lives on.
func TestHTTP2Hostile(t *testing.T) {
	addr := listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS()})
	for _, c := range []struct {
		name   string
		attack func(p *peer) error
		code   http2.ErrCode
	}{
		{"CONTINUATION flood", func(p *peer) error {
			err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(getFields...)})
			for i := 0; i < 5000 && err == nil; i++ {
				err = p.WriteContinuation(1, false, p.block("x-a="+strings.Repeat("b", 10000)))
			}
			return err
		}, http2.ErrCodeProtocol},
		{"empty CONTINUATIONs", func(p *peer) error {
			err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(getFields...)})
			for i := 0; i < 100000 && err == nil; i++ {
				err = p.WriteContinuation(1, false, nil)
			}
			return err
		}, http2.ErrCodeEnhanceYourCalm},
		{"rapid reset", func(p *peer) (err error) {
			for id := uint32(1); id < 50000 && err == nil; id += 2 {
				if err = p.get(id); err == nil {
					err = p.WriteRSTStream(id, http2.ErrCodeCancel)
				}
			}
			return err
		}, http2.ErrCodeEnhanceYourCalm},
		{"PING flood", func(p *peer) (err error) {
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WritePing(false, [8]byte{})
			}
			return err
		}, http2.ErrCodeEnhanceYourCalm},
		{"SETTINGS flood", func(p *peer) (err error) {
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WriteSettings()
			}
			return err
		}, http2.ErrCodeEnhanceYourCalm},
		{"even stream", func(p *peer) error { return p.get(2) }, http2.ErrCodeProtocol},
		{"DATA on an idle stream", func(p *peer) error { return p.WriteData(9, true, []byte("x")) }, http2.ErrCodeProtocol},
		{"RST of an idle stream", func(p *peer) error { return p.WriteRSTStream(9, 0) }, http2.ErrCodeProtocol},
		{"window overflow", func(p *peer) error {
			_ = p.WriteWindowUpdate(0, 1<<31-1)
			return p.WriteWindowUpdate(0, 1<<31-1)
		}, http2.ErrCodeFlowControl},
		{"empty window update", func(p *peer) error { return p.WriteWindowUpdate(0, 0) }, http2.ErrCodeProtocol},
		{"frame too large", func(p *peer) error { return p.WriteRawFrame(http2.FramePing, 0, 0, make([]byte, 20000)) }, http2.ErrCodeFrameSize},
		{"bad HPACK", func(p *peer) error {
			return p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, EndStream: true, EndHeaders: true})
		}, http2.ErrCodeCompression},
		{"bad settings", func(p *peer) error {
			return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		}, http2.ErrCodeFlowControl},
		{"PUSH_PROMISE", func(p *peer) error {
			return p.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: p.block(getFields...), EndHeaders: true})
		}, http2.ErrCodeProtocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, addr)
			go func() { _ = c.attack(p) }() // it fails when the server has had enough
			if code, _ := p.end(t); code != int(c.code) {
				t.Errorf("got GOAWAY %v, want %v", http2.ErrCode(code), c.code)
			}
		})
	}
	for _, c := range []struct {
		name   string
		fields []string
		code   http2.ErrCode
	}{
		{"connection header", []string{"connection=close"}, http2.ErrCodeProtocol},
		{"transfer-encoding", []string{"transfer-encoding=chunked"}, http2.ErrCodeProtocol},
		{"upper case", []string{"X-A=b"}, http2.ErrCodeProtocol},
		{"line feed", []string{"x-a=b\nc"}, http2.ErrCodeProtocol},
		{"length without a body", []string{"content-length=5"}, http2.ErrCodeProtocol},
		{"second host", []string{"host=evil.example"}, http2.ErrCodeProtocol},
		{"late pseudo field", []string{"x-a=b", ":path=/x"}, http2.ErrCodeProtocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, addr)
			_ = p.get(1, c.fields...)
			_ = p.get(3)
			_ = p.WritePing(true, [8]byte{})
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}) // the end
			_, resets := p.end(t)
			if resets[1] != c.code || len(resets) != 1 {
				t.Errorf("got resets %v, want stream 1 with %v", resets, c.code)
			}
		})
	}
}

// TestHTTP2Limits checks the number of streams, fields, and the clock of a
// reader who grants no window.
func TestHTTP2Limits(t *testing.T) {
	server := func(clock time.Duration) string {
		return listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS(), Limits: Limits{Stall: clock, Idle: clock, Head: clock}})
	}
	t.Run("streams and window", func(t *testing.T) {
		withClocks(t, func(clock time.Duration) error { return tooManyStreams(newPeer(t, server(clock))) })
	})
	for name, fields := range map[string][]string{
		"many fields":  strings.Split(strings.Repeat("x-a=b ", 101), " ")[:101],
		"large fields": {"x-a=" + strings.Repeat("b", 9000), "x-b=" + strings.Repeat("b", 9000)},
	} {
		t.Run(name, func(t *testing.T) {
			withClocks(t, func(clock time.Duration) error { return tooManyFields(newPeer(t, server(clock)), fields) })
		})
	}
	addr := server(300 * time.Millisecond)
	for name, send := range map[string]string{"no preface": "", "half a preface": http2.ClientPreface[:10], "half a frame": http2.ClientPreface + "\x00\x00\x10\x04", "idle": http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"} {
		t.Run(name, func(t *testing.T) {
			c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, send)
			_ = c.SetReadDeadline(time.Now().Add(patienceOfTests))
			var timeout interface{ Timeout() bool }
			if _, err := io.Copy(io.Discard, c); errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("still open after %v", patienceOfTests)
			}
		})
	}
}

// tooManyStreams opens 120 streams and grants no window: 20 are refused, and the
// others are given up in time.
func tooManyStreams(p *peer) error {
	_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	go func() {
		for id := uint32(1); id < 240; id += 2 {
			_ = p.get(id)
		}
		for p.WritePing(false, [8]byte{}) == nil { // awake, but not reading
			time.Sleep(20 * time.Millisecond)
		}
	}()
	got := map[http2.ErrCode]int{}
	for got[http2.ErrCodeRefusedStream]+got[http2.ErrCodeCancel] < 120 {
		f, err := p.ReadFrame()
		if err != nil {
			return fmt.Errorf("%w after %v", err, got)
		}
		if r, ok := f.(*http2.RSTStreamFrame); ok {
			got[r.ErrCode]++
		}
	}
	if got[http2.ErrCodeRefusedStream] != 20 {
		return fmt.Errorf("got %v, want 20 streams refused and 100 given up", got)
	}
	return nil
}

// tooManyFields sends a request that is answered with 431.
func tooManyFields(p *peer, fields []string) error {
	block := bytes.Clone(p.block(append(getFields[:4:4], fields...)...))
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:min(len(block), 16000)], EndStream: true, EndHeaders: len(block) <= 16000})
	if len(block) > 16000 {
		_ = p.WriteContinuation(1, true, block[16000:])
	}
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	status := ""
	err := p.find(func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		if ok {
			status = h.PseudoValue("status")
		}
		return ok
	})
	if err == nil && status != "431" {
		err = fmt.Errorf("got %s, want 431", status)
	}
	return err
}

// FuzzHTTP2 sends frames of any kind: the server answers or hangs up, and
// never panics.
func FuzzHTTP2(f *testing.F) {
	sites := wireSites(f, nil)
	addr := listen(f, &Server{Handler: sites, TLS: testTLS(), Limits: Limits{Stall: 50 * time.Millisecond, Idle: 50 * time.Millisecond, Head: 50 * time.Millisecond}})
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x04\x01\x05\x00\x00\x00\x01\x82\x87\x84\x86"))
	f.Add([]byte("\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, frames []byte) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write(append([]byte(http2.ClientPreface), frames...))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && errors.Is(err, io.ErrNoProgress) {
			t.Fatal(fmt.Sprint(err))
		}
	})
}
