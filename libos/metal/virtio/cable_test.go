package virtio

import (
	"encoding/binary"
	"testing"

	"cairn/libos"
)

const netAll = netAlways | netCuts | netHostECN | netGuestChecksum | netSegments | netGuestECN | IndirectDesc

// newCard returns a simulated network card.
func newCard(t testing.TB, number byte, offers uint64) *simulated {
	s := newSimulated(t, Network, offers)
	copy(s.config, []byte{2, 0, 0, 0, 0, number, 1, 0, 0, 0, 0xdc, 5})
	return s
}

// join carries frames from one card to another until one is closed.
func join(from, to *simulated) {
	out, in := from.queues[queueOut], to.queues[queueIn]
	for {
		c := out.await()
		if c == nil {
			return
		}
		var frame []byte
		for _, b := range c.out {
			frame = append(frame, b...)
		}
		out.put([]uint16{c.head}, []int{0})
		if !in.deliver(frame, from.headerSize(), to.headerSize()) {
			return
		}
	}
}

func (s *simulated) headerSize() int {
	if s.legacy && s.accepted&netMergeable == 0 {
		return netLegacyHeader
	}
	return netHeader
}

// deliver puts a frame into as many buffers as it needs.
func (q *simQueue) deliver(frame []byte, header, mine int) bool {
	mergeable := q.dev.accepted&netMergeable != 0
	head := make([]byte, mine)
	copy(head, frame[:10])
	rest := append(head, frame[header:]...)
	var heads []uint16
	var written []int
	var first []byte
	for len(rest) > 0 {
		c := q.await()
		if c == nil {
			return false
		}
		if first == nil {
			first = c.in[0]
		}
		n := copy(c.in[0], rest)
		rest = rest[n:]
		heads, written = append(heads, c.head), append(written, n)
		if len(rest) > 0 && !mergeable {
			q.dev.t.Errorf("a frame has %d bytes more than the buffer", len(rest))
			return false
		}
	}
	if mine == netHeader {
		binary.LittleEndian.PutUint16(first[10:], uint16(len(heads)))
	}
	q.put(heads, written)
	return true
}

// openCable returns two cards on a cable.
func openCable(t testing.TB, offers uint64, memory int, change func(*simulated)) (a, b *Net) {
	t.Helper()
	var sims [2]*simulated
	var cards [2]*Net
	for i := range sims {
		sims[i] = newCard(t, byte(i+1), offers)
		if change != nil {
			change(sims[i])
		}
		var err error
		if cards[i], err = OpenNet(sims[i], sims[i].memory, memory); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cards[i].Close() })
	}
	done := make(chan struct{}, 2)
	for i := range sims {
		go func() {
			join(sims[i], sims[1-i])
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() {
		cards[0].Close()
		cards[1].Close()
		<-done
		<-done
	})
	return cards[0], cards[1]
}

var _ libos.Link = (*Net)(nil)
