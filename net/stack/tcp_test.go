package stack

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"cairn/libos"
	"cairn/net/cable"
)

// A synced link remembers what the last SYN said.
type synced struct {
	libos.Link
	options chan header.TCPSynOptions
}

func (l synced) Send(h libos.FrameHeader, parts ...[]byte) error {
	const tcp = header.EthernetMinimumSize + header.IPv4MinimumSize
	frame := slices.Concat(parts...)
	if header.Ethernet(frame).Type() == header.IPv4ProtocolNumber && len(frame) >= tcp+header.TCPMinimumSize {
		if s := header.TCP(frame[tcp:]); s.Flags() == header.TCPFlagSyn {
			select {
			case l.options <- header.ParseSynOptions(s.Options(), false):
			default:
			}
		}
	}
	return l.Link.Send(h, parts...)
}

// TestSYN looks at what a connection is begun with: selective acknowledgements,
// window scaling, timestamps and the link's segment size.
func TestSYN(t *testing.T) {
	x, y := cable.New(cable.Options{})
	link := synced{x, make(chan header.TCPSynOptions, 1)}
	a, b := open(t, link, Options{IPv4: a4}), open(t, y, Options{IPv4: b4})
	l := listen(t, b, b4.Addr().String()+":7")
	accept(t, l, a)
	if got := <-link.options; !got.SACKPermitted || got.WS <= 0 || !got.TS || got.MSS != 1460 {
		t.Errorf("SYN with %+v", got)
	}
}

// A losing link loses what is sent when it is told to, and remembers which single bytes
// have been the whole of a segment.
type losing struct {
	libos.Link
	mu    sync.Mutex
	lose  bool
	bytes map[byte]bool
}

func (l *losing) Send(h libos.FrameHeader, parts ...[]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lose {
		return l.Link.Send(h, parts...)
	}
	frame := slices.Concat(parts...)
	if header.Ethernet(frame).Type() == header.IPv4ProtocolNumber {
		ip := header.IPv4(frame[header.EthernetMinimumSize:])
		if data := header.TCP(ip.Payload()).Payload(); ip.Protocol() == uint8(header.TCPProtocolNumber) && len(data) == 1 {
			l.bytes[data[0]] = true
		}
	}
	return nil
}

// TestNoDelay writes twice: the second segment does not wait for the first one's
// acknowledgement (RFC 9293 §3.7.4), which never comes.
func TestNoDelay(t *testing.T) {
	x, y := cable.New(cable.Options{})
	link := &losing{Link: x, bytes: map[byte]bool{}}
	a, b := open(t, link, Options{IPv4: a4}), open(t, y, Options{IPv4: b4})
	l := listen(t, b, b4.Addr().String()+":7")
	client, _ := accept(t, l, a)
	link.mu.Lock()
	link.lose = true
	link.mu.Unlock()
	client.Write([]byte("a"))
	client.Write([]byte("b"))
	await(t, "segments are on the way", 2, func() int {
		link.mu.Lock()
		defer link.mu.Unlock()
		return len(link.bytes)
	})
}

// TestKeepAlive leaves a connection idle: its peer is asked whether it is still there.
func TestKeepAlive(t *testing.T) {
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("CAIRN_LONG is not set")
	}
	a, b := pair(t, cable.Options{})
	l := listen(t, b, b4.Addr().String()+":7")
	client, server := accept(t, l, a)
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	before := a.net.Stats().TCP.SegmentsSent.Value()
	look, over := time.NewTicker(100*time.Millisecond), time.After(2*time.Minute)
	defer look.Stop()
	for a.net.Stats().TCP.SegmentsSent.Value() < before+2 { // an acknowledgement may be under way
		select {
		case <-look.C:
		case <-over:
			t.Fatal("nothing is sent on an idle connection")
		}
	}
}
