package cable_test

import (
	"bytes"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"cairn/libos"
	"cairn/net/cable"
)

// An unfinished is a frame as a card with offload takes it, and where its parts are.
type unfinished struct {
	head      libos.FrameHeader
	data      []byte
	network   int
	transport int
}

var (
	client4, server4 = tcpip.AddrFrom4([4]byte{10, 0, 0, 1}), tcpip.AddrFrom4([4]byte{10, 0, 0, 2})
	client6          = tcpip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: 1})
	server6          = tcpip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: 2})
)

// largeSegment makes a TCP segment with options, the flags FIN, PSH and CWR, and so many bytes of payload.
func largeSegment(v6, tagged bool, payload []byte, mss int) unfinished {
	const options = 12
	u := unfinished{network: header.EthernetMinimumSize}
	kind := []byte{0x08, 0x00}
	size, src, dst := header.IPv4MinimumSize, client4, server4
	u.head = libos.FrameHeader{Flags: libos.NeedsChecksum, Segment: libos.SegmentTCP4 | libos.SegmentECN, SegmentLen: uint16(mss), SumOffset: 16}
	if v6 {
		kind = []byte{0x86, 0xdd}
		size, src, dst = header.IPv6MinimumSize, client6, server6
		u.head.Segment = libos.SegmentTCP6 | libos.SegmentECN
	}
	u.data = []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
	if tagged {
		u.data = append(u.data, 0x81, 0, 0, 7)
		u.network += 4
	}
	u.data = append(u.data, kind...)
	u.transport = u.network + size
	u.head.SumStart = uint16(u.transport)
	u.head.HeaderLen = uint16(u.transport + header.TCPMinimumSize + options)
	u.data = append(u.data, make([]byte, int(u.head.HeaderLen)-len(u.data))...)
	u.data = append(u.data, payload...)

	length := len(u.data) - u.transport
	if v6 {
		header.IPv6(u.data[u.network:]).Encode(&header.IPv6Fields{
			PayloadLength: uint16(length), TransportProtocol: header.TCPProtocolNumber, HopLimit: 64, SrcAddr: src, DstAddr: dst,
		})
	} else {
		ip := header.IPv4(u.data[u.network:])
		ip.Encode(&header.IPv4Fields{
			TotalLength: uint16(size + length), ID: 0xfffe, TTL: 64, Protocol: uint8(header.TCPProtocolNumber), SrcAddr: src, DstAddr: dst,
		})
		ip.SetChecksum(^ip.CalculateChecksum())
	}
	tcp := header.TCP(u.data[u.transport:])
	tcp.Encode(&header.TCPFields{
		SrcPort: 1024, DstPort: 80, SeqNum: 0xfffffff0, AckNum: 7, DataOffset: header.TCPMinimumSize + options,
		Flags: header.TCPFlagFin | header.TCPFlagPsh | header.TCPFlagAck | header.TCPFlags(0x80), WindowSize: 1000,
	})
	for i := range options {
		tcp[header.TCPMinimumSize+i] = header.TCPOptionNOP
	}
	tcp.SetChecksum(header.PseudoHeaderChecksum(header.TCPProtocolNumber, src, dst, uint16(length)))
	return u
}

// pass sends a frame from a port with offload to one without and returns what arrives.
func pass(t *testing.T, h libos.FrameHeader, data []byte) [][]byte {
	t.Helper()
	a, b := cable.New(cable.Options{Offload: []bool{true, false}})
	if err := a.Send(h, data); err != nil {
		t.Fatalf("send: %v", err)
	}
	if err := a.Send(libos.FrameHeader{}, make([]byte, 14)); err != nil { // the last one
		t.Fatalf("send: %v", err)
	}
	var all [][]byte
	buf := make([]byte, libos.MaxFrame)
	for {
		n, got, err := b.Receive(buf)
		if err != nil || got != (libos.FrameHeader{}) {
			t.Fatalf("receive: %+v, %v, want a finished frame", got, err)
		}
		if n == 14 {
			return all
		}
		all = append(all, bytes.Clone(buf[:n]))
	}
}

func TestLargeSegmentsAreCut(t *testing.T) {
	for _, c := range []struct {
		name       string
		v6, tagged bool
		payload    int
		frames     int
	}{
		{"IPv4", false, false, 60_000, 43},
		{"IPv6", true, false, 60_000, 43},
		{"VLAN", false, true, 5000, 4},
		{"even", false, false, 2800, 2},
		{"small", true, false, 100, 1},
		{"empty", false, false, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			const mss = 1400
			payload := make([]byte, c.payload)
			for i := range payload {
				payload[i] = byte(i >> 3)
			}
			u := largeSegment(c.v6, c.tagged, payload, mss)
			frames := pass(t, u.head, u.data)
			if len(frames) != c.frames {
				t.Fatalf("%d frames, want %d", len(frames), c.frames)
			}
			var got []byte
			for i, f := range frames {
				got = append(got, checkSegment(t, u, f, i, len(frames))...)
			}
			if !bytes.Equal(got, payload) {
				t.Errorf("the payload is another one, of %d bytes", len(got))
			}
		})
	}
}

// checkSegment judges the ith of n frames with gVisor's eyes and returns its payload.
func checkSegment(t *testing.T, u unfinished, f []byte, i, n int) []byte {
	t.Helper()
	if len(f) > 14+4+1500 {
		t.Errorf("frame %d has %d bytes", i, len(f))
	}
	if !bytes.Equal(f[:u.network], u.data[:u.network]) {
		t.Errorf("frame %d has another Ethernet header", i)
	}
	var src, dst tcpip.Address
	if u.head.Segment&^libos.SegmentECN == libos.SegmentTCP4 {
		ip := header.IPv4(f[u.network:])
		if !ip.IsValid(len(ip)) || !ip.IsChecksumValid() || int(ip.TotalLength()) != len(ip) || ip.ID() != uint16(0xfffe+i) {
			t.Errorf("frame %d: IPv4 header % x", i, ip[:20])
		}
		src, dst = ip.SourceAddress(), ip.DestinationAddress()
	} else {
		ip := header.IPv6(f[u.network:])
		if !ip.IsValid(len(ip)) || int(ip.PayloadLength()) != len(ip)-40 {
			t.Errorf("frame %d: IPv6 header % x", i, ip[:40])
		}
		src, dst = ip.SourceAddress(), ip.DestinationAddress()
	}
	tcp := header.TCP(f[u.transport:])
	payload := tcp.Payload()
	if !tcp.IsChecksumValid(src, dst, checksum.Checksum(payload, 0), uint16(len(payload))) {
		t.Errorf("frame %d: wrong TCP checksum", i)
	}
	seq := uint32(0xfffffff0)
	if want := seq + uint32(i)*1400; tcp.SequenceNumber() != want {
		t.Errorf("frame %d: sequence number %d, want %d", i, tcp.SequenceNumber(), want)
	}
	want := byte(header.TCPFlagAck)
	if i == 0 {
		want |= 0x80 // CWR: RFC 3168 wants it once
	}
	if i == n-1 {
		want |= byte(header.TCPFlagFin | header.TCPFlagPsh)
	}
	if got := tcp[13]; got != want {
		t.Errorf("frame %d: flags %08b, want %08b", i, got, want)
	}
	return payload
}

func TestChecksumIsCompleted(t *testing.T) {
	data := make([]byte, 14+20+8+5)
	copy(data[12:], []byte{8, 0})
	ip := header.IPv4(data[14:])
	ip.Encode(&header.IPv4Fields{TotalLength: 33, TTL: 64, Protocol: uint8(header.UDPProtocolNumber), SrcAddr: client4, DstAddr: server4})
	udp := header.UDP(data[34:])
	udp.Encode(&header.UDPFields{SrcPort: 1, DstPort: 53, Length: 13})
	copy(data[42:], "hello")
	udp.SetChecksum(header.PseudoHeaderChecksum(header.UDPProtocolNumber, client4, server4, 13))

	got := pass(t, libos.FrameHeader{Flags: libos.NeedsChecksum, SumStart: 34, SumOffset: 6}, data)
	if len(got) != 1 || !header.UDP(got[0][34:]).IsChecksumValid(client4, server4, checksum.Checksum(got[0][42:], 0)) {
		t.Errorf("%d frames, or a wrong checksum", len(got))
	}
	if got := pass(t, libos.FrameHeader{Flags: libos.DataValid}, data); len(got) != 1 || !bytes.Equal(got[0], data) {
		t.Error("a frame that was finished has changed")
	}
}

func TestOffloadOnBothEnds(t *testing.T) {
	a, b := cable.New(cable.Options{Offload: []bool{true, true}})
	u := largeSegment(false, false, make([]byte, 60_000), 1400)
	if err := a.Send(u.head, u.data); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, libos.MaxFrame)
	n, h, err := b.Receive(buf)
	if err != nil || h != u.head || !bytes.Equal(buf[:n], u.data) {
		t.Errorf("received %d bytes, %+v, %v, want the frame as it was", n, h, err)
	}
}

// FuzzFinish: whatever a card calls unfinished, nothing breaks and nothing too large arrives.
func FuzzFinish(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		u := largeSegment(v6, false, make([]byte, 5000), 1400)
		f.Add(u.data, u.head.Flags, u.head.Segment, u.head.SegmentLen, u.head.SumStart, u.head.SumOffset)
	}
	f.Add(make([]byte, 60), uint8(libos.NeedsChecksum), uint8(0), uint16(0), uint16(34), uint16(16))
	f.Fuzz(func(t *testing.T, data []byte, flags, segment uint8, size, start, offset uint16) {
		a, b := cable.New(cable.Options{Offload: []bool{true, false}, Queue: 1 << 30})
		h := libos.FrameHeader{Flags: flags, Segment: segment, SegmentLen: size, SumStart: start, SumOffset: offset}
		if err := a.Send(h, data); err != nil {
			return
		}
		last := []byte("the last frame")
		if err := a.Send(libos.FrameHeader{}, last); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, libos.MaxFrame)
		for n := 0; !bytes.Equal(buf[:n], last); {
			var err error
			if n, _, err = b.Receive(buf); err != nil {
				t.Fatal(err)
			}
			if n > 14+4+b.MTU() {
				t.Errorf("a frame of %d bytes", n)
			}
		}
	})
}
