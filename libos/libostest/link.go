package libostest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"cairn/libos"
)

// testEtherType marks the frames of TestLink: IEEE's "local experimental 1".
const testEtherType = 0x88b5

// TestLink runs the suite for a libos.Link. open returns two cards that reach
// each other over a wire that loses nothing and keeps the order; both are closed at the end.
func TestLink(t *testing.T, open func(t *testing.T) (a, b libos.Link)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, a, b libos.Link)
	}{
		{"Identity", testIdentity},
		{"Frames", testFrames},
		{"BothWays", testBothWays},
		{"SendersAtOnce", testSendersAtOnce},
		{"SendKeepsNothing", testSendKeepsNothing},
		{"TooLarge", testTooLarge},
		{"CloseEndsReceive", testCloseEndsReceive},
		{"SendAfterClose", testSendAfterClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t)
			defer b.Close()
			defer a.Close()
			c.test(t, a, b)
		})
	}
}

// ethernetHeader returns a header from a to b.
func ethernetHeader(a, b libos.Link) []byte {
	h := append(append([]byte(nil), b.MAC()...), a.MAC()...)
	return binary.BigEndian.AppendUint16(h, testEtherType)
}

// receive returns the next frame of the suite's own. A card may bring others': a
// kernel that says hello.
func receive(l libos.Link) ([]byte, error) {
	buf := make([]byte, libos.MaxFrame)
	for {
		n, h, err := l.Receive(buf)
		if err != nil {
			return nil, err
		}
		if n < 14 || binary.BigEndian.Uint16(buf[12:]) != testEtherType {
			continue
		}
		if !l.Offload() && h != (libos.FrameHeader{}) {
			return nil, fmt.Errorf("frame header %+v from a card without offload", h)
		}
		return buf[:n], nil
	}
}

func testIdentity(t *testing.T, a, b libos.Link) {
	for _, l := range []libos.Link{a, b} {
		if mac := l.MAC(); len(mac) != 6 || mac[0]&1 != 0 {
			t.Errorf("MAC %v, want six bytes that name one station", mac)
		}
		if l.MTU() < 1280 {
			t.Errorf("MTU %d, want at least the 1280 that IPv6 needs", l.MTU())
		}
	}
	if bytes.Equal(a.MAC(), b.MAC()) {
		t.Errorf("both cards have MAC %v", a.MAC())
	}
}

func testFrames(t *testing.T, a, b libos.Link) {
	head := ethernetHeader(a, b)
	for _, size := range []int{46, 47, 576, a.MTU() - 1, a.MTU()} {
		payload := pattern(size)
		if err := a.Send(libos.FrameHeader{}, head, payload[:size/3], nil, payload[size/3:]); err != nil {
			t.Fatalf("send %d bytes: %v", size, err)
		}
		got, err := receive(b)
		if err != nil {
			t.Fatalf("receive %d bytes: %v", size, err)
		}
		if want := append(head[:14:14], payload...); !bytes.Equal(got, want) {
			t.Errorf("frame of %d bytes arrived as %d other bytes", len(want), len(got))
		}
	}
}

func testBothWays(t *testing.T, a, b libos.Link) {
	const frames = 200
	var wg sync.WaitGroup
	for _, pair := range [][2]libos.Link{{a, b}, {b, a}} {
		from, to := pair[0], pair[1]
		wg.Go(func() {
			for i := range frames {
				if err := from.Send(libos.FrameHeader{}, ethernetHeader(from, to), numbered(i)); err != nil {
					t.Errorf("send frame %d: %v", i, err)
					return
				}
			}
		})
		wg.Go(func() {
			for i := range frames {
				got, err := receive(to)
				if err != nil {
					t.Errorf("receive frame %d: %v", i, err)
					return
				}
				if !bytes.Equal(got[14:], numbered(i)) {
					t.Errorf("frame %d is number %d", i, binary.BigEndian.Uint32(got[14:]))
					return
				}
			}
		})
	}
	wg.Wait()
}

func testSendersAtOnce(t *testing.T, a, b libos.Link) {
	const senders, frames = 8, 50
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range frames {
				if err := a.Send(libos.FrameHeader{}, ethernetHeader(a, b), numbered(s*frames+i)); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	defer wg.Wait()
	next := make([]int, senders)
	for range senders * frames {
		got, err := receive(b)
		if err != nil {
			t.Fatal(err)
		}
		n := int(binary.BigEndian.Uint32(got[14:]))
		if n >= senders*frames || !bytes.Equal(got[14:], numbered(n)) || n%frames != next[n/frames] {
			t.Fatalf("frame %d of sender %d came after its first %d, or is not whole", n%frames, n/frames, next[n/frames])
		}
		next[n/frames]++
	}
}

func testSendKeepsNothing(t *testing.T, a, b libos.Link) {
	head, payload := ethernetHeader(a, b), numbered(1)
	if err := a.Send(libos.FrameHeader{}, head, payload); err != nil {
		t.Fatal(err)
	}
	clear(payload)
	clear(head)
	got, err := receive(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[14:], numbered(1)) {
		t.Error("the frame changed after it was sent")
	}
}

func testTooLarge(t *testing.T, a, b libos.Link) {
	if err := a.Send(libos.FrameHeader{}, ethernetHeader(a, b), make([]byte, a.MTU()+64)); err == nil {
		t.Errorf("a frame larger than the MTU was sent")
	}
	if err := a.Send(libos.FrameHeader{}, ethernetHeader(a, b), numbered(3)); err != nil {
		t.Fatalf("send after that: %v", err)
	}
	if got, err := receive(b); err != nil || !bytes.Equal(got[14:], numbered(3)) {
		t.Errorf("receive after that: %v", err)
	}
}

func testCloseEndsReceive(t *testing.T, a, b libos.Link) {
	done := make(chan error)
	go func() {
		_, err := receive(b)
		done <- err
	}()
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive of a closed card: %v, want net.ErrClosed", err)
	}
	if _, err := receive(b); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive after Close: %v, want net.ErrClosed", err)
	}
}

func testSendAfterClose(t *testing.T, a, b libos.Link) {
	head := ethernetHeader(a, b)
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := a.Send(libos.FrameHeader{}, head, numbered(0)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close: %v, want net.ErrClosed", err)
	}
}

// pattern returns n bytes that tell where they belong.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i*7)
	}
	return b
}

// numbered returns a payload that tells its number.
func numbered(n int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(n)), bytes.Repeat([]byte{byte(n)}, 60)...)
}
