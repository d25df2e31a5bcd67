package virtio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cairn/libos"
)

// TestOffloaded has large segments and incomplete checksums cross the cable as they are.
func TestOffloaded(t *testing.T) {
	for _, c := range []struct {
		name   string
		offers uint64
		memory int
	}{
		{"All", netAll, 0},
		{"WithoutMergeable", netAll &^ netMergeable, 0},
		{"LittleMemory", netAll, 400 << 10},
		{"Legacy", netAll &^ Version1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := openCable(t, c.offers, c.memory, nil)
			if !a.Offload() {
				t.Fatal("no offload")
			}
			buf := make([]byte, libos.MaxFrame)
			for i, h := range []libos.FrameHeader{
				{Flags: libos.NeedsChecksum, Segment: libos.SegmentTCP4, HeaderLen: 54, SegmentLen: 1460, SumStart: 34, SumOffset: 16},
				{Flags: libos.NeedsChecksum, Segment: libos.SegmentTCP6 | libos.SegmentECN, HeaderLen: 74, SegmentLen: 1440, SumStart: 54, SumOffset: 16},
				{Flags: libos.NeedsChecksum, SumStart: 34, SumOffset: 16},
				{},
			} {
				size := libos.MaxFrame - i
				if h.Segment == 0 {
					size = 1514
				}
				want := bytes.Repeat([]byte{1, 2, 3, 4, 5, byte(i)}, size)[:size]
				if err := a.Send(h, want[:14], want[14:60], want[60:]); err != nil {
					t.Fatalf("send %+v: %v", h, err)
				}
				n, got, err := b.Receive(buf)
				if err != nil || got != h || !bytes.Equal(buf[:n], want) {
					t.Errorf("got %d bytes with %+v, %v, want %d with %+v", n, got, err, len(want), h)
				}
			}
		})
	}
}

// TestSendRefuses has frames that the card was not agreed to finish, or that it would
// choke on.
func TestSendRefuses(t *testing.T) {
	const noECN = netAll &^ netHostECN
	for _, c := range []struct {
		offers uint64
		h      libos.FrameHeader
		size   int
	}{
		{netAll, libos.FrameHeader{}, 1519},
		{netAll, libos.FrameHeader{Segment: libos.SegmentTCP4}, libos.MaxFrame + 1},
		{netAll, libos.FrameHeader{Segment: 3}, 64},
		{netAll, libos.FrameHeader{Flags: libos.NeedsChecksum, SumStart: 34, SumOffset: 16}, 51},
		{netAll, libos.FrameHeader{Flags: libos.NeedsChecksum, SumStart: 65535, SumOffset: 65535}, 1000},
		{noECN, libos.FrameHeader{Segment: libos.SegmentTCP4 | libos.SegmentECN}, 64},
		{Version1, libos.FrameHeader{Segment: libos.SegmentTCP4}, 64},
		{Version1, libos.FrameHeader{Flags: libos.NeedsChecksum, SumStart: 34, SumOffset: 16}, 64},
	} {
		n, e := openEvil(t, c.offers)
		if err := n.Send(c.h, make([]byte, c.size)); err == nil {
			t.Errorf("%+v with %d bytes was sent", c.h, c.size)
		}
		if n.out.queue.next != 0 || e.isClosed() {
			t.Errorf("%+v with %d bytes reached the device", c.h, c.size)
		}
	}
}

// TestCable pulls the cable and puts it in again.
func TestCable(t *testing.T) {
	n, e := openEvil(t, netAll)
	received := make(chan error)
	go func() {
		_, _, err := n.Receive(make([]byte, libos.MaxFrame))
		received <- err
	}()
	frame := make([]byte, 64)
	for _, up := range []byte{0, 1, 0} {
		e.change(func(config []byte) { config[6] = up })
		switch err := n.Send(libos.FrameHeader{}, frame); {
		case up == 0 && (!errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), "send on "+e.name)):
			t.Errorf("without cable: %v, want %v", err, syscall.EIO)
		case up == 1 && err != nil:
			t.Errorf("with cable: %v", err)
		}
	}
	n.Close()
	<-received
}

// TestSendRing sends frames of all sizes through a card that finishes them in any
// order, and looks whether each comes out whole.
func TestSendRing(t *testing.T) {
	for _, memory := range []int{24 << 10, 140 << 10, 1 << 20} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			s := newCard(t, 6, netAll)
			n, err := OpenNet(s, s.memory, memory)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() { scatter(t, s.queues[queueOut]) })
			r := rand.New(rand.NewPCG(3, uint64(memory)))
			for i := range 3000 {
				h := libos.FrameHeader{HeaderLen: uint16(i)}
				size := 8 + r.IntN(1500)
				if i%7 == 0 && n.Offload() {
					h.Segment = libos.SegmentTCP4
					size = 8 + r.IntN(libos.MaxFrame-8)
				}
				if !n.Offload() {
					h = libos.FrameHeader{}
				}
				if err := n.Send(h, signed(i, size)); err != nil {
					t.Fatal(err)
				}
			}
			n.Close()
		})
	}
}

// signed returns a frame that tells its number and size, and is of one kind throughout.
func signed(number, size int) []byte {
	b := bytes.Repeat([]byte{byte(number)}, size)
	binary.LittleEndian.PutUint32(b, uint32(number))
	binary.LittleEndian.PutUint32(b[4:], uint32(size))
	return b
}

// scatter takes frames, keeps some for a while, and checks each when it lets it go.
func scatter(t *testing.T, q *simQueue) {
	r := rand.New(rand.NewPCG(5, 6))
	var kept []*simChain
	for number := uint32(0); ; number++ {
		c := q.await()
		if c == nil {
			return
		}
		if got := binary.LittleEndian.Uint32(c.out[0][netHeader:]); got != number {
			t.Errorf("frame %d came after frame %d", got, int(number)-1)
		}
		kept = append(kept, c)
		for more := q.pop(); more != nil; more = q.pop() {
			kept = append(kept, more)
			number++
		}
		r.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		for _, c := range kept {
			b := c.out[0][netHeader:]
			if size := int(binary.LittleEndian.Uint32(b[4:])); size != len(b) || bytes.Count(b[8:], []byte{b[0]}) != size-8 {
				t.Errorf("a frame of %d bytes is not whole", size)
			}
			q.put([]uint16{c.head}, []int{0})
		}
		kept = kept[:0]
	}
}
