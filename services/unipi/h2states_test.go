package unipi

import (
	"crypto/tls"
	"io"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestHTTP2States breaks the rules of streams (RFC 9113, sections 5.1 and 8.1):
// the connection or the stream ends, with the right code.
func TestHTTP2States(t *testing.T) {
	addr := listen(t, &Server{Handler: hookSites(t), TLS: testTLS()})
	trailers := func(p *peer, id uint32, end bool, fields ...string) error {
		return p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(fields...), EndHeaders: true, EndStream: end})
	}
	for _, c := range []struct {
		name   string
		attack func(p *peer)
		reset  uint32 // the stream; 0: the connection
		code   http2.ErrCode
	}{
		{"lower stream", func(p *peer) { _ = p.get(5); _ = p.get(3) }, 0, http2.ErrCodeProtocol},
		{"header on a reset stream", func(p *peer) {
			_ = p.post(1, WebhookPath)
			_ = p.WriteRSTStream(1, http2.ErrCodeCancel)
			_ = trailers(p, 1, true, "x-a=b")
		}, 0, http2.ErrCodeProtocol},
		{"DATA on a reset stream", func(p *peer) {
			_ = p.post(1, WebhookPath)
			_ = p.WriteRSTStream(1, http2.ErrCodeCancel)
			_ = p.WriteData(1, true, []byte("x"))
		}, 1, http2.ErrCodeStreamClosed},
		{"DATA after the end", func(p *peer) { _ = p.get(1); _ = p.WriteData(1, true, []byte("x")) }, 1, http2.ErrCodeStreamClosed},
		{"trailers that do not end", func(p *peer) { _ = p.post(1, WebhookPath); _ = trailers(p, 1, false, "x-a=b") }, 1, http2.ErrCodeProtocol},
		{"pseudo field in trailers", func(p *peer) { _ = p.post(1, WebhookPath); _ = trailers(p, 1, true, ":method=GET") }, 1, http2.ErrCodeProtocol},
		{"less than the length", func(p *peer) { _ = p.post(1, WebhookPath, "content-length=5"); _ = p.WriteData(1, true, []byte("x")) }, 1, http2.ErrCodeProtocol},
		{"more than the length", func(p *peer) {
			_ = p.post(1, WebhookPath, "content-length=1")
			_ = p.WriteData(1, false, []byte("xyz"))
		}, 1, http2.ErrCodeProtocol},
		{"two lengths", func(p *peer) { _ = p.post(1, WebhookPath, "content-length=1", "content-length=2") }, 1, http2.ErrCodeProtocol},
		{"WINDOW_UPDATE of nothing on an idle stream", func(p *peer) { _ = p.WriteWindowUpdate(7, 0) }, 0, http2.ErrCodeProtocol},
		{"bad header on an even stream", func(p *peer) { _ = p.get(2, "X-A=b") }, 0, http2.ErrCodeProtocol},
		{"stream window overflow", func(p *peer) {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			_ = p.getBig(1) // more than the connection's window: the stream stays open
			_ = p.WriteWindowUpdate(1, 1<<31-1)
			_ = p.WriteWindowUpdate(1, 1<<31-1)
		}, 1, http2.ErrCodeFlowControl},
		{"initial window overflow", func(p *peer) {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			_ = p.getBig(1)
			_ = p.WriteWindowUpdate(1, 1<<31-1)
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 17})
		}, 0, http2.ErrCodeFlowControl},
		{"space in the path", func(p *peer) { _ = p.post(1, "/a b") }, 1, http2.ErrCodeProtocol},
		{"host that is none", func(p *peer) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(":method=GET", ":scheme=https", ":authority=localhost:1 /x", ":path=/"), EndHeaders: true, EndStream: true})
		}, 1, http2.ErrCodeProtocol},
		{"not SETTINGS first", nil, 0, http2.ErrCodeProtocol},
		{"interleaved header", func(p *peer) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(getFields...)})
			_ = p.WritePing(false, [8]byte{})
		}, 0, http2.ErrCodeProtocol},
		{"padding longer than the frame", func(p *peer) {
			_ = p.post(1, WebhookPath)
			_, _ = p.c.Write(raw(http2.FrameData, http2.FlagDataPadded, 1, []byte{9, 'x'}))
		}, 0, http2.ErrCodeProtocol},
		{"table size above what was agreed", func(p *peer) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x3f, 0xff, 0xff, 0x03}, EndHeaders: true, EndStream: true})
		}, 0, http2.ErrCodeCompression},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, addr)
			if c.attack == nil {
				p = bare(t, addr)
				_ = p.WritePing(false, [8]byte{})
			} else {
				c.attack(p)
			}
			if c.reset != 0 {
				_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}) // the end
			}
			code, resets := p.end(t)
			if c.reset == 0 && http2.ErrCode(code) != c.code {
				t.Errorf("got GOAWAY %v and resets %v, want %v", http2.ErrCode(code), resets, c.code)
			}
			if got, ok := resets[c.reset]; c.reset != 0 && (!ok || got != c.code) {
				t.Errorf("got GOAWAY %v and resets %v, want stream %d reset with %v", http2.ErrCode(code), resets, c.reset, c.code)
			}
		})
	}
}

// TestHTTP2Refused sends more than is taken: the answer says so.
func TestHTTP2Refused(t *testing.T) {
	addr := listen(t, &Server{Handler: hookSites(t), TLS: testTLS()})
	p := newPeer(t, addr)
	_ = p.post(1, WebhookPath)
	for range maxH2Body/16384 + 1 {
		_ = p.WriteData(1, false, make([]byte, 16384))
	}
	_ = p.WriteData(1, true, nil)
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.until(t, func(f http2.Frame) bool {
		h, is := f.(*http2.MetaHeadersFrame)
		if is && h.PseudoValue("status") != "413" {
			t.Errorf("got %s, want 413", h.PseudoValue("status"))
		}
		return is
	})
	_ = p.get(3)
	p.until(t, func(f http2.Frame) bool {
		if f.Header().Type == http2.FrameRSTStream {
			t.Error("the stream is reset, which can hide the answer")
		}
		return f.Header().StreamID == 3
	})
}

// bare is a peer that has sent its preface and no more.
func bare(t *testing.T, addr string) *peer {
	c := dialH2(t, addr)
	_ = c.SetDeadline(time.Now().Add(patienceOfTests))
	p := &peer{Framer: http2.NewFramer(c, c), c: c}
	p.enc = hpack.NewEncoder(&p.buf)
	p.AllowIllegalWrites = true
	_, _ = io.WriteString(c, http2.ClientPreface)
	return p
}

func dialH2(t testing.TB, addr string) *tls.Conn {
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
