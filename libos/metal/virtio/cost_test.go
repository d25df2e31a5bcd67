package virtio

import (
	"sync"
	"testing"

	"cairn/libos"
)

// TestNoAllocations: frames and requests cost no memory of the collector's.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	n, e := openEvil(t, netAll)
	frame := netFrame(0, 1, 1000)
	parts := [][]byte{frame[:14], frame[14:]}
	buf := make([]byte, libos.MaxFrame)
	heads, sizes := []uint16{0}, []int{len(frame)}
	if got := testing.AllocsPerRun(1000, func() {
		if err := n.Send(libos.FrameHeader{}, parts...); err != nil {
			t.Fatal(err)
		}
		heads[0] = e.out.ring[e.out.last%e.out.size]
		e.out.last++
		e.out.put(heads, sizes)
	}); got != 0 {
		t.Errorf("Send allocates %v times", got)
	}
	if got := testing.AllocsPerRun(1000, func() {
		heads[0] = e.in.ring[e.in.last%e.in.size]
		e.in.last++
		copy(n.in.mem[int(heads[0])*n.in.size:], frame)
		e.in.put(heads, sizes)
		if _, _, err := n.Receive(buf); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("Receive allocates %v times", got)
	}
}

// TestFewExits counts what costs: notifications and interrupts. While the device is busy
// there are none for what is sent, and one interrupt tells of all frames that
// came meanwhile.
func TestFewExits(t *testing.T) {
	for _, offers := range []uint64{netAll, netAll &^ EventIndex} {
		n, e := openEvil(t, offers)
		if offers&EventIndex == 0 {
			e.out.flags = noNotify // busy
			e.out.tell()
		}
		const frames = 200
		frame := netFrame(0, 1, 64)
		for range frames {
			if err := n.Send(libos.FrameHeader{}, frame); err != nil {
				t.Fatal(err)
			}
		}
		for range frames {
			e.out.put([]uint16{e.out.pop().head}, []int{0})
		}
		if got := e.rings[queueOut].Load(); got > 1 {
			t.Errorf("%d notifications for %d frames, want at most one", got, frames)
		}
		if got := e.signals[queueOut].Load(); got > 1 {
			t.Errorf("%d interrupts for %d frames sent, want at most one", got, frames)
		}
		before := e.rings[queueIn].Load()
		buf := make([]byte, libos.MaxFrame)
		for range 100 {
			e.in.hand(frame, len(frame))
		}
		for range 100 {
			if _, _, err := n.Receive(buf); err != nil {
				t.Fatal(err)
			}
		}
		if got := e.signals[queueIn].Load(); got > 1 {
			t.Errorf("%d interrupts for 100 frames received at once, want at most one", got)
		}
		if got := e.rings[queueIn].Load() - before; got > 4 {
			t.Errorf("%d notifications for 100 buffers given back, want at most 4", got)
		}
	}
}

// TestCrowd has many senders on both ends of a cable, more than the cards hold.
func TestCrowd(t *testing.T) {
	for _, c := range cards {
		t.Run(c.name, func(t *testing.T) {
			a, b := openCable(t, c.offers, c.memory, func(s *simulated) { s.max = [3]int{c.queue, c.queue, 0} })
			const senders, frames = 12, 200
			var wg sync.WaitGroup
			for _, pair := range [][2]*Net{{a, b}, {b, a}} {
				for range senders {
					wg.Go(func() {
						for i := range frames {
							if err := pair[0].Send(libos.FrameHeader{}, make([]byte, 14+i%1500)); err != nil {
								t.Errorf("send: %v", err)
								return
							}
						}
					})
				}
				wg.Go(func() {
					buf := make([]byte, libos.MaxFrame)
					for range senders * frames {
						if _, _, err := pair[1].Receive(buf); err != nil {
							t.Errorf("receive: %v", err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestPlan shows how memory is divided.
func TestPlan(t *testing.T) {
	const segments = netGuestSegment4 | netGuestSegment6
	for _, c := range []struct {
		name              string
		offers            uint64
		memory, queue     int
		buffers, size     int
		offload, segments bool
	}{
		{"all", netAll, 1 << 20, 256, 128, 4096, true, true},
		{"more memory", netAll, 4 << 20, 256, 256, 8192, true, true},
		{"less memory", netAll, 400 << 10, 256, 50, 4096, true, true},
		{"too little for segments in", netAll, 300 << 10, 256, 100, 1536, true, false},
		{"too little for segments", netAll, 100 << 10, 256, 33, 1536, false, false},
		{"a short queue", netAll, 1 << 20, 16, 16, 32768, true, true},
		{"each in one buffer", netAll &^ netMergeable, 1 << 20, 256, 7, 65664, true, true},
		{"no offload", Version1, 1 << 20, 256, 256, 1536, false, false},
	} {
		p, err := planNet(c.offers, false, 1500, c.memory, c.queue)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p.buffers != c.buffers || p.bufferSize != c.size || p.offload != c.offload || (p.features&segments != 0) != c.segments {
			t.Errorf("%s: got %d buffers of %d bytes, offload %v, features %#x; want %d of %d, %v, segments %v",
				c.name, p.buffers, p.bufferSize, p.offload, p.features, c.buffers, c.size, c.offload, c.segments)
		}
		if got := p.buffers*p.bufferSize + p.space; got > c.memory {
			t.Errorf("%s: takes %d bytes of %d", c.name, got, c.memory)
		}
	}
}
