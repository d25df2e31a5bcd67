package cable

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// A record remembers the newest frames, up to limit bytes.
type record struct {
	limit int

	mu    sync.Mutex
	lines []line
	bytes int // cost of lines
}

// A line is one frame as it was sent.
type line struct {
	frame
	at      time.Time
	port    int
	comment string
}

func (r *record) add(port int, f frame, comment string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line{f, time.Now(), port, comment})
	r.bytes += f.cost()
	for r.bytes > r.limit && len(r.lines) > 1 {
		r.bytes -= r.lines[0].cost()
		r.lines[0] = line{}
		r.lines = r.lines[1:]
	}
}

// Pcap writes the newest frames, as they were sent, for Wireshark and tcpdump to
// read: a pcapng file (draft-ietf-opsawg-pcapng) with an interface for each port. A
// comment says which frames were lost, doubled or held back.
func (s *Switch) Pcap(w io.Writer) error {
	s.log.mu.Lock()
	lines := s.log.lines[:len(s.log.lines):len(s.log.lines)]
	s.log.mu.Unlock()

	var b bytes.Buffer
	b.Write(sectionHeader(fmt.Sprintf("seed %d", s.opts.Seed)))
	for i := range s.ports {
		b.Write(interfaceDescription(fmt.Sprintf("port %d", i)))
	}
	for _, l := range lines {
		b.Write(enhancedPacket(l))
		if b.Len() < 1<<16 {
			continue
		}
		if _, err := b.WriteTo(w); err != nil {
			return fmt.Errorf("write capture: %w", err)
		}
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

// Block and option types of pcapng.
const (
	typeSection   = 0x0a0d0d0a
	typeInterface = 1
	typePacket    = 6

	optEnd        = 0
	optComment    = 1
	optName       = 2 // of an interface
	optResolution = 9 // of an interface's times

	linkEthernet = 1
	nanoseconds  = 9
)

var order = binary.LittleEndian

func sectionHeader(comment string) []byte {
	b := order.AppendUint32(nil, 0x1a2b3c4d) // tells the byte order
	b = order.AppendUint16(b, 1)             // version 1.0
	b = order.AppendUint16(b, 0)
	b = order.AppendUint64(b, ^uint64(0)) // length of the section: not told
	return block(typeSection, option(b, optComment, []byte(comment)))
}

func interfaceDescription(name string) []byte {
	b := order.AppendUint16(nil, linkEthernet)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, 0) // frames are whole
	b = option(b, optName, []byte(name))
	return block(typeInterface, option(b, optResolution, []byte{nanoseconds}))
}

func enhancedPacket(l line) []byte {
	at := uint64(l.at.UnixNano())
	b := order.AppendUint32(nil, uint32(l.port))
	b = order.AppendUint32(b, uint32(at>>32))
	b = order.AppendUint32(b, uint32(at))
	b = order.AppendUint32(b, uint32(len(l.data)))
	b = order.AppendUint32(b, uint32(len(l.data)))
	b = pad(append(b, l.data...))
	if l.comment != "" {
		b = option(b, optComment, []byte(l.comment))
	}
	return block(typePacket, b)
}

// option appends an option. The end of options is put in by block.
func option(b []byte, code uint16, value []byte) []byte {
	b = order.AppendUint16(b, code)
	b = order.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// block wraps a body, that ends with options or none, in its type and lengths.
func block(kind uint32, body []byte) []byte {
	body = option(body, optEnd, nil)
	size := uint32(len(body) + 12)
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, size)
	b = append(b, body...)
	return order.AppendUint32(b, size)
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
