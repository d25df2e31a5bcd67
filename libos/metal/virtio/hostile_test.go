package virtio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"strings"
	"testing"

	"cairn/libos"
)

// An evil card's queues, as its device sees them.
type evil struct {
	*simulated
	in, out *simQueue
}

// jump tells of so many more used entries than there are.
func (q *simQueue) jump(n int) {
	q.idx += uint16(n)
	q.tell()
	q.dev.interrupt(q.number)
}

// frame returns a header that says so, and n bytes.
func netFrame(segment uint8, buffers, n int) []byte {
	b := make([]byte, netHeader+n)
	b[1] = segment
	binary.LittleEndian.PutUint16(b[10:], uint16(buffers))
	return b
}

// hand puts bytes into the next buffer, and says that it holds n.
func (q *simQueue) hand(b []byte, n int) {
	c := q.pop()
	copy(c.in[0], b)
	q.put([]uint16{c.head}, []int{n})
}

// misdeeds of a card that hands over frames.
var misdeeds = map[string]func(e evil){
	"id out of range":         func(e evil) { e.in.put([]uint16{5000}, []int{64}) },
	"id of no 16 bits":        func(e evil) { e.in.used[1].Store(1 << 20); e.in.jump(1) },
	"id used twice":           func(e evil) { c := e.in.pop(); e.in.put([]uint16{c.head, c.head}, []int{64, 64}) },
	"index jumps":             func(e evil) { e.in.jump(300) },
	"index goes back":         func(e evil) { e.in.jump(-1) },
	"length out of range":     func(e evil) { e.in.hand(nil, 1<<30) },
	"length one too many":     func(e evil) { c := e.in.pop(); e.in.put([]uint16{c.head}, []int{len(c.in[0]) + 1}) },
	"length negative":         func(e evil) { e.in.hand(nil, -1) },
	"nothing":                 func(e evil) { e.in.hand(nil, 0) },
	"shorter than its header": func(e evil) { e.in.hand(nil, netHeader-1) },
	"in no buffers":           func(e evil) { e.in.hand(netFrame(0, 0, 64), 64) },
	"in too many buffers":     func(e evil) { e.in.hand(netFrame(0, 257, 64), 64) },
	"in 65535 buffers":        func(e evil) { e.in.hand(netFrame(0, 65535, 64), 64) },
	"segment unknown":         func(e evil) { e.in.hand(netFrame(77, 1, 64), 64) },
	"segment of UDP":          func(e evil) { e.in.hand(netFrame(3, 1, 64), 64) },
	"gives up":                func(e evil) { e.broken.Store(true); e.change(func([]byte) {}) },
	"index of sending jumps":  func(e evil) { e.out.jump(1); e.in.hand(netFrame(0, 1, 64), 76) },
}

// openEvil returns a card, and what plays its device.
func openEvil(t *testing.T, offers uint64) (*Net, evil) {
	t.Helper()
	s := newCard(t, 6, offers)
	n, err := OpenNet(s, s.memory, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n, evil{s, s.queues[queueIn], s.queues[queueOut]}
}

// wantBlamed checks that an error blames the device, and that it was stopped for good.
func wantBlamed(t *testing.T, s *simulated, err error) {
	t.Helper()
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, fs.ErrClosed) || !strings.HasPrefix(err.Error(), s.name+" ") {
		t.Errorf("got %v, want what %s did", err, s.name)
	}
	if !s.isClosed() {
		t.Error("the device was not stopped")
	}
}

func TestNetMisbehaves(t *testing.T) {
	for name, misdeed := range misdeeds {
		t.Run(name, func(t *testing.T) {
			n, e := openEvil(t, netAll)
			misdeed(e)
			buf := make([]byte, libos.MaxFrame)
			_, _, err := n.Receive(buf)
			if err == nil { // it is the other queue's
				err = n.Send(libos.FrameHeader{}, make([]byte, 64))
			}
			wantBlamed(t, e.simulated, err)
			if _, _, again := n.Receive(buf); again != err {
				t.Errorf("then Receive says %v, want %v", again, err)
			}
			if again := n.Send(libos.FrameHeader{}, make([]byte, 64)); again != err {
				t.Errorf("then Send says %v, want %v", again, err)
			}
			if err := n.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// TestNetFullMisbehaves has a card that never sends do something wrong while somebody waits for it
// to send.
func TestNetFullMisbehaves(t *testing.T) {
	for _, offers := range []uint64{netAll, netAll &^ EventIndex} {
		n, e := openEvil(t, offers)
		done := make(chan error)
		go func() {
			for {
				if err := n.Send(libos.FrameHeader{}, make([]byte, 1000)); err != nil {
					done <- err
					return
				}
			}
		}()
		for range maxQueue {
			e.out.await()
		}
		e.out.put([]uint16{4, 4}, []int{0, 0})
		e.interrupt(queueOut) // with an event index it had not been asked for so early
		wantBlamed(t, e.simulated, <-done)
	}
}

// TestNetTooLarge has a card hand over a frame that nobody has room for. It is dropped.
func TestNetTooLarge(t *testing.T) {
	n, e := openEvil(t, netAll)
	large := netFrame(libos.SegmentTCP4, 17, 65580)
	var heads []uint16
	var sizes []int
	for len(large) > 0 {
		c := e.in.pop()
		k := copy(c.in[0], large)
		large = large[k:]
		heads, sizes = append(heads, c.head), append(sizes, k)
	}
	e.in.put(heads, sizes)
	want := netFrame(0, 1, 60)
	want[netHeader] = 7
	e.in.hand(want, len(want))
	buf := make([]byte, libos.MaxFrame)
	size, h, err := n.Receive(buf)
	if err != nil || size != 60 || h != (libos.FrameHeader{}) || !bytes.Equal(buf[:size], want[netHeader:]) {
		t.Errorf("got %d bytes, %+v, %v, want the frame after the large one", size, h, err)
	}
}

// TestNetHeaderMeansNothing: without GuestChecksum nothing but the number of buffers is to be believed.
func TestNetHeaderMeansNothing(t *testing.T) {
	n, e := openEvil(t, netAll&^netGuestChecksum)
	frame := netFrame(libos.SegmentTCP4, 1, 60)
	frame[0] = libos.DataValid
	e.in.hand(frame, len(frame))
	if _, h, err := n.Receive(make([]byte, libos.MaxFrame)); err != nil || h != (libos.FrameHeader{}) {
		t.Errorf("got %+v, %v, want a header of zeros", h, err)
	}
}

// TestNetImpossible has cards that say what cannot be.
func TestNetImpossible(t *testing.T) {
	for name, c := range map[string]struct {
		offers uint64
		change func(*simulated)
	}{
		"queue of 0":     {netAll, func(s *simulated) { s.max[queueIn] = 0 }},
		"queue of 1":     {netAll, func(s *simulated) { s.max[queueOut] = 1 }},
		"queue of -1":    {netAll, func(s *simulated) { s.max[queueIn] = -1 }},
		"MTU of 0":       {netAll, func(s *simulated) { clear(s.config) }},
		"no version":     {netAll &^ Version1, func(s *simulated) { s.legacy = false }},
		"before 1.0":     {netMAC, func(*simulated) {}},
		"no memory":      {netAll, func(s *simulated) { s.memory.left = 100 }},
		"no more memory": {netAll, func(s *simulated) { s.memory.left = 16 << 10 }},
		"little memory":  {netAll, func(s *simulated) { s.memory.left = 700 << 10 }},
	} {
		s := newCard(t, 1, c.offers)
		c.change(s)
		n, err := OpenNet(s, s.memory, 0)
		if err == nil {
			t.Errorf("%s: the card was opened", name)
			n.Close()
			continue
		}
		if !s.isClosed() {
			t.Errorf("%s: the device was not stopped", name)
		}
	}
}

// misdeeds of a disk; each has got one request.
var diskMisdeeds = map[string]func(q *simQueue, c *simChain){
	"id out of range":  func(q *simQueue, _ *simChain) { q.put([]uint16{5000}, []int{1}) },
	"id within":        func(q *simQueue, c *simChain) { q.put([]uint16{c.head + 1}, []int{1}) },
	"id never offered": func(q *simQueue, c *simChain) { q.put([]uint16{c.head + 3}, []int{1}) },
	"index jumps":      func(q *simQueue, _ *simChain) { q.jump(2) },
	"index goes back":  func(q *simQueue, _ *simChain) { q.jump(-1) },
	"status unknown":   func(q *simQueue, c *simChain) { c.in[1][0] = 3; q.put([]uint16{c.head}, []int{513}) },
	"status untouched": func(q *simQueue, c *simChain) { q.put([]uint16{c.head}, []int{513}) },
	"gives up":         func(q *simQueue, _ *simChain) { q.dev.broken.Store(true); q.dev.change(func([]byte) {}) },
}

func TestBlockMisbehaves(t *testing.T) {
	for name, misdeed := range diskMisdeeds {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t, make([]byte, 1<<20), diskAll)
			d.evil = misdeed
			b := openDisk(t, d, 0)
			buf := make([]byte, 512)
			_, err := b.ReadAt(buf, 0)
			wantBlamed(t, d.simulated, err)
			if _, again := b.ReadAt(buf, 0); again != err {
				t.Errorf("then ReadAt says %v, want %v", again, err)
			}
			if _, again := b.WriteAt(buf, 0); again != err {
				t.Errorf("then WriteAt says %v, want %v", again, err)
			}
			if again := b.Sync(); again != err {
				t.Errorf("then Sync says %v, want %v", again, err)
			}
		})
	}
}
