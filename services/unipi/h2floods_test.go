package unipi

import (
	"testing"

	"golang.org/x/net/http2"
)

// TestHTTP2Floods sends without end what costs the server more than the
// client.
func TestHTTP2Floods(t *testing.T) {
	addr := listen(t, &Server{Handler: hookSites(t), TLS: testTLS()})
	big := []string{":method=GET", ":scheme=https", ":authority=localhost", ":path=/big.bin"}
	for _, c := range []struct {
		name   string
		attack func(p *peer) error
	}{
		{"dribble", func(p *peer) error {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(big...), EndHeaders: true, EndStream: true})
			for i := 0; i < 100000 && err == nil; i++ {
				err = p.WriteWindowUpdate(1, 1)
			}
			return err
		}},
		{"WINDOW_UPDATEs", func(p *peer) (err error) {
			for i := 0; i < 100000 && err == nil; i++ {
				err = p.WriteWindowUpdate(0, 1)
			}
			return err
		}},
		{"overflowing streams", func(p *peer) (err error) { // resets that the server makes
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			for id := uint32(1); id < 50000 && err == nil; id += 2 {
				_ = p.get(id)
				_ = p.WriteWindowUpdate(id, 1<<31-1)
				err = p.WriteWindowUpdate(id, 1<<31-1)
			}
			return err
		}},
		{"empty window updates", func(p *peer) (err error) {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			for id := uint32(1); id < 50000 && err == nil; id += 2 {
				_ = p.get(id)
				err = p.WriteWindowUpdate(id, 0)
			}
			return err
		}},
		{"PRIORITY", func(p *peer) (err error) {
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WritePriority(1, http2.PriorityParam{StreamDep: 3})
			}
			return err
		}},
		{"empty DATA", func(p *peer) (err error) {
			err = p.post(1, WebhookPath)
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WriteData(1, false, nil)
			}
			return err
		}},
		{"padding alone", func(p *peer) (err error) {
			err = p.post(1, WebhookPath)
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WriteDataPadded(1, false, nil, make([]byte, 100))
			}
			return err
		}},
		{"unknown frames", func(p *peer) (err error) {
			for i := 0; i < 50000 && err == nil; i++ {
				err = p.WriteRawFrame(0xee, 0, 0, nil)
			}
			return err
		}},
		{"malformed requests", func(p *peer) (err error) {
			for id := uint32(1); id < 50000 && err == nil; id += 2 {
				err = p.get(id, "connection=close")
			}
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, addr)
			go func() { _ = c.attack(p) }()
			if code, _ := p.end(t); http2.ErrCode(code) != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("got GOAWAY %v, want ENHANCE_YOUR_CALM", http2.ErrCode(code))
			}
		})
	}
}

// TestHTTP2Patience downloads in the way of clients that are well: a window update
// for every frame that comes, however small.
func TestHTTP2Patience(t *testing.T) {
	addr := listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS()})
	p := newPeer(t, addr)
	answered := 0
	for id := uint32(1); id < 12000; id += 2 {
		_ = p.get(id)
		p.until(t, func(f http2.Frame) bool {
			if d, is := f.(*http2.DataFrame); is {
				_ = p.WriteWindowUpdate(0, d.Length)
				answered++
			}
			return f.Header().StreamID == id && f.Header().Flags.Has(http2.FlagDataEndStream) && f.Header().Type == http2.FrameData
		})
	}
	if answered != 6000 {
		t.Errorf("got %d answers, want 6000", answered)
	}
}
