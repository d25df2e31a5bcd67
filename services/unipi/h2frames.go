package unipi

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2FrameData is how much one DATA frame carries, in bytes: what every peer
// accepts (RFC 9113, section 6.5.2).
const h2FrameData = 16 << 10

// frameHead is the size of what comes before a frame's payload, in bytes.
const frameHead = 9

func appendFrame(b []byte, kind http2.FrameType, flags http2.Flags, stream uint32, size int) []byte {
	b = append(b, byte(size>>16), byte(size>>8), byte(size), byte(kind), byte(flags))
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendSettings(b []byte, settings ...http2.Setting) []byte {
	b = appendFrame(b, http2.FrameSettings, 0, 0, 6*len(settings))
	for _, s := range settings {
		b = binary.BigEndian.AppendUint16(b, uint16(s.ID))
		b = binary.BigEndian.AppendUint32(b, s.Val)
	}
	return b
}

func appendWord(b []byte, kind http2.FrameType, stream, word uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, kind, 0, stream, 4), word)
}

func appendReset(b []byte, stream uint32, code http2.ErrCode) []byte {
	return appendWord(b, http2.FrameRSTStream, stream, uint32(code))
}

func appendWindow(b []byte, stream, n uint32) []byte {
	return appendWord(b, http2.FrameWindowUpdate, stream, n)
}

func appendGoAway(b []byte, last uint32, code http2.ErrCode) []byte {
	b = appendFrame(b, http2.FrameGoAway, 0, 0, 8)
	b = binary.BigEndian.AppendUint32(b, last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

// appendHeaders appends a HEADERS frame, and CONTINUATIONs if it is long.
func appendHeaders(b []byte, stream uint32, block []byte, end bool) []byte {
	var flags http2.Flags
	if end {
		flags = http2.FlagHeadersEndStream
	}
	kind := http2.FrameHeaders
	for {
		part := block[:min(len(block), h2FrameData)]
		block = block[len(part):]
		if len(block) == 0 {
			flags |= http2.FlagHeadersEndHeaders
		}
		b = append(appendFrame(b, kind, flags, stream, len(part)), part...)
		if len(block) == 0 {
			return b
		}
		kind, flags = http2.FrameContinuation, 0
	}
}

// statusIndex are the statuses that HPACK's static table holds (RFC 7541,
// appendix A).
var statusIndex = map[int]byte{200: 8, 204: 9, 206: 10, 304: 11, 400: 12, 404: 13, 500: 14}

// nameIndex are the names of the static table that responses use.
var nameIndex = map[string]int{
	"accept-ranges": 18, "access-control-allow-origin": 20, "allow": 22, "cache-control": 24, "content-disposition": 25,
	"content-encoding": 26, "content-language": 27, "content-length": 28, "content-location": 29, "content-range": 30,
	"content-type": 31, "date": 33, "etag": 34, "expires": 36, "last-modified": 44, "link": 45, "location": 46, "refresh": 52,
	"retry-after": 53, "set-cookie": 55, "strict-transport-security": 56, "vary": 59, "www-authenticate": 61,
}

// appendBlock appends a response's fields as HPACK, all but Date. It leaves the
// dynamic table alone, so that one block serves every connection.
func (p *prepared) appendBlock(b []byte) []byte {
	if i, ok := statusIndex[p.status]; ok {
		b = append(b, 0x80|i)
	} else {
		b = appendHpackString(append(b, 8), strconv.Itoa(p.status)) // :status by its name's index
	}
	for _, f := range p.head {
		name := strings.ToLower(f.name)
		if name == "connection" {
			continue
		}
		for _, v := range f.values {
			b = appendHpackString(appendHpackName(b, name), v)
		}
	}
	return b
}

// A tableSize says whether the client has made HPACK's table smaller than it is by
// default. We never use it, but must confirm that (RFC 9113, section 4.3.1).
type tableSize uint8

const (
	tableUntouched tableSize = iota
	tableToEmpty             // to be said before the next field
	tableEmpty
)

// hpackEmptyTable sets the size of the dynamic table to 0 (RFC 7541, section 6.3).
const hpackEmptyTable = 0x20

// appendHpackName begins a literal field without indexing (RFC 7541, section
// 6.2.2).
func appendHpackName(b []byte, name string) []byte {
	switch i := nameIndex[name]; {
	case i >= 15:
		return append(b, 0x0f, byte(i-15))
	case i > 0:
		return append(b, byte(i))
	}
	return appendHpackString(append(b, 0), name)
}

func appendHpackString(b []byte, s string) []byte {
	n := hpack.HuffmanEncodeLength(s)
	if n >= uint64(len(s)) {
		return append(appendHpackLength(b, 0, len(s)), s...)
	}
	return hpack.AppendHuffmanString(appendHpackLength(b, 0x80, int(n)), s)
}

// appendHpackLength appends an integer with a prefix of seven bits (RFC 7541,
// section 5.1).
func appendHpackLength(b []byte, flag byte, n int) []byte {
	if n < 127 {
		return append(b, flag|byte(n))
	}
	b = append(b, flag|127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(b, byte(n))
}
