package stack

import (
	"hash/maphash"
	"slices"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// A segment is one that netstack hands down.
type segment struct {
	port    uint16
	ack     uint32
	flags   header.TCPFlags
	payload int
	options []byte
}

func (s segment) packet() *stack.PacketBuffer {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: 100,
		Payload:            buffer.MakeWithData(make([]byte, s.payload)),
	})
	tcp := header.TCP(pkt.TransportHeader().Push(header.TCPMinimumSize + len(s.options)))
	tcp.Encode(&header.TCPFields{SrcPort: 80, DstPort: s.port, AckNum: s.ack, Flags: s.flags, DataOffset: uint8(len(tcp))})
	copy(tcp[header.TCPMinimumSize:], s.options)
	pkt.TransportProtocolNumber = header.TCPProtocolNumber
	pkt.EgressRoute.LocalAddress = tcpip.AddrFrom4([4]byte{192, 0, 2, 1})
	pkt.EgressRoute.RemoteAddress = tcpip.AddrFrom4([4]byte{192, 0, 2, 2})
	return pkt
}

// TestAcks: which segments go out, and in which order.
func TestAcks(t *testing.T) {
	const ack, data = header.TCPFlagAck, header.TCPFlagAck | header.TCPFlagPsh
	sack := []byte{header.TCPOptionNOP, header.TCPOptionNOP, header.TCPOptionSACK, 10, 0, 0, 1, 0, 0, 0, 2, 0}
	open := segment{port: 1, ack: 1000, flags: data, payload: 1}
	for _, c := range []struct {
		name string
		list []segment
		sent []uint32 // acknowledgement numbers, before the flush
		late []uint32 // and by it
	}{
		{"the answer takes its place", []segment{open, {port: 1, ack: 1100, flags: ack}, {port: 1, ack: 1100, flags: data, payload: 5}}, []uint32{1000, 1100}, nil},
		{"nothing follows", []segment{open, {port: 1, ack: 1100, flags: ack}}, []uint32{1000}, []uint32{1100}},
		{"every other one goes", []segment{open, {port: 1, ack: 1100, flags: ack}, {port: 1, ack: 1200, flags: ack}, {port: 1, ack: 1300, flags: ack}}, []uint32{1000, 1200}, []uint32{1300}},
		{"bulk", []segment{open, {port: 1, ack: 3000, flags: ack}, {port: 1, ack: 9000, flags: ack}}, []uint32{1000, 3000, 9000}, nil},
		{"a window opens, a probe is answered", []segment{open, {port: 1, ack: 1000, flags: ack}, {port: 1, ack: 1000, flags: ack}}, []uint32{1000, 1000, 1000}, nil},
		{"something is missing", []segment{open, {port: 1, ack: 1100, flags: ack, options: sack}}, []uint32{1000, 1100}, nil},
		{"the end", []segment{open, {port: 1, ack: 1100, flags: ack | header.TCPFlagFin}, {port: 1, ack: 1101, flags: ack}}, []uint32{1000, 1100}, []uint32{1101}},
		{"numbers wrap", []segment{{port: 1, ack: 1<<32 - 10, flags: data, payload: 1}, {port: 1, ack: 20, flags: ack}}, []uint32{1<<32 - 10}, []uint32{20}},
		{"an older one", []segment{open, {port: 1, ack: 900, flags: ack}}, []uint32{1000, 900}, nil},
		{"a connection that was not seen", []segment{{port: 7, ack: 1, flags: ack}}, []uint32{1}, nil},
	} {
		var sent []uint32
		send := func(pkt *stack.PacketBuffer) error {
			sent = append(sent, header.TCP(pkt.TransportHeader().Slice()).AckNumber())
			return nil
		}
		a := acks{seed: maphash.MakeSeed(), send: send, armed: true} // the clock flushes nothing
		for _, s := range c.list {
			pkt := s.packet()
			if a.pass(pkt) {
				_ = send(pkt)
			}
			pkt.DecRef()
		}
		if !slices.Equal(sent, c.sent) {
			t.Errorf("%s: got %d, want %d", c.name, sent, c.sent)
		}
		sent = nil
		a.flush()
		if !slices.Equal(sent, c.late) {
			t.Errorf("%s: late: got %d, want %d", c.name, sent, c.late)
		}
	}
}

// TestAcksCrowd: of more connections than can be told apart, none is left waiting.
func TestAcksCrowd(t *testing.T) {
	last := map[uint16]uint32{}
	send := func(pkt *stack.PacketBuffer) error {
		tcp := header.TCP(pkt.TransportHeader().Slice())
		last[tcp.DestinationPort()] = tcp.AckNumber()
		return nil
	}
	a := acks{seed: maphash.MakeSeed(), send: send, armed: true}
	const connections = 4 * ackFlows
	for round := range uint32(5) {
		for port := range uint16(connections) {
			pkt := segment{port: port, ack: 100 * (round + 1), flags: header.TCPFlagAck}.packet()
			if a.pass(pkt) {
				_ = send(pkt)
			}
			pkt.DecRef()
		}
	}
	a.flush()
	for port := range uint16(connections) {
		if last[port] != 500 {
			t.Fatalf("connection %d: the last acknowledgement sent is %d, want 500", port, last[port])
		}
	}
}
