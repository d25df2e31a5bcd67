package cable

import (
	"encoding/binary"

	"cairn/libos"
)

var be = binary.BigEndian

// finish does in software what a card with offload does: it cuts a large
// segment into frames and completes checksums. A frame whose header does not fit its
// bytes gives none.
func finish(f frame) [][]byte {
	switch f.head.Segment &^ libos.SegmentECN {
	case libos.SegmentTCP4, libos.SegmentTCP6:
		return cutTCP(f)
	}
	if f.head.Flags&libos.NeedsChecksum == 0 {
		return [][]byte{f.data}
	}
	start, field := int(f.head.SumStart), int(f.head.SumStart)+int(f.head.SumOffset)
	if field+2 > len(f.data) {
		return nil
	}
	data := append([]byte(nil), f.data...)
	sum := fold(add(0, data[start:]))
	if sum == 0 {
		sum = 0xffff // zero would mean that UDP has no checksum
	}
	be.PutUint16(data[field:], sum)
	return [][]byte{data}
}

// A segment tells where the parts of a frame are that holds a TCP segment.
type segment struct {
	network   int // offset of the IP header
	transport int // offset of the TCP header
	payload   int // offset of the payload
}

const (
	tcpFIN, tcpPSH, tcpCWR = 0x01, 0x08, 0x80

	tcpProtocol = 6
	minTCP      = 20
	minIPv4     = 20
	minIPv6     = 40
	maxIP       = 512 // with extension headers
)

// cutTCP makes frames that carry at most SegmentLen bytes of payload each.
func cutTCP(f frame) [][]byte {
	s, ok := locate(f)
	if !ok {
		return nil
	}
	v4 := f.head.Segment&^libos.SegmentECN == libos.SegmentTCP4
	payload := f.data[s.payload:]
	var frames [][]byte
	for off := 0; off < len(payload) || off == 0; off += int(f.head.SegmentLen) {
		end := min(off+int(f.head.SegmentLen), len(payload))
		data := make([]byte, 0, s.payload+end-off)
		data = append(append(data, f.data[:s.payload]...), payload[off:end]...)
		s.amendTCP(data, off, end == len(payload))
		if v4 {
			s.amendIPv4(data, len(frames))
		} else {
			be.PutUint16(data[s.network+4:], uint16(len(data)-s.network-minIPv6))
		}
		s.sumTCP(data, v4)
		frames = append(frames, data)
	}
	return frames
}

// locate finds the headers of a frame that is to be cut.
func locate(f frame) (segment, bool) {
	s := segment{network: ethernet, transport: int(f.head.SumStart)}
	if len(f.data) >= ethernet+vlan && be.Uint16(f.data[12:]) == 0x8100 {
		s.network += vlan
	}
	least := minIPv4
	if f.head.Segment&^libos.SegmentECN == libos.SegmentTCP6 {
		least = minIPv6
	}
	if f.head.SegmentLen == 0 || s.transport < s.network+least || s.transport > s.network+maxIP || s.transport+minTCP > len(f.data) {
		return s, false
	}
	if least == minIPv4 && s.network+int(f.data[s.network]&15)*4 != s.transport {
		return s, false
	}
	size := int(f.data[s.transport+12]>>4) * 4
	s.payload = s.transport + size
	return s, size >= minTCP && s.payload <= len(f.data)
}

// amendTCP sets the sequence number of the payload at off, and leaves each flag to the
// segment it belongs to.
func (s segment) amendTCP(data []byte, off int, last bool) {
	tcp := data[s.transport:]
	be.PutUint32(tcp[4:], be.Uint32(tcp[4:])+uint32(off))
	if !last {
		tcp[13] &^= tcpFIN | tcpPSH
	}
	if off > 0 {
		tcp[13] &^= tcpCWR
	}
}

// amendIPv4 sets length, identification and checksum of the ith frame.
func (s segment) amendIPv4(data []byte, i int) {
	ip := data[s.network:s.transport]
	be.PutUint16(ip[2:], uint16(len(data)-s.network))
	be.PutUint16(ip[4:], be.Uint16(ip[4:])+uint16(i))
	be.PutUint16(ip[10:], 0)
	be.PutUint16(ip[10:], fold(add(0, ip)))
}

// sumTCP sets the checksum over the pseudo-header and the segment.
func (s segment) sumTCP(data []byte, v4 bool) {
	ip, tcp := data[s.network:], data[s.transport:]
	addresses := ip[8:40]
	if v4 {
		addresses = ip[12:20]
	}
	be.PutUint16(tcp[16:], 0)
	sum := add(uint64(tcpProtocol+len(tcp)), addresses)
	be.PutUint16(tcp[16:], fold(add(sum, tcp)))
}

// add adds bytes to an Internet checksum (RFC 1071).
func add(sum uint64, b []byte) uint64 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(be.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}

// fold ends an Internet checksum.
func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
