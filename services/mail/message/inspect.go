package message

import (
	"bytes"
	"encoding/binary"
)

// Facts are what SMTP has to know of a message: whether it may be taken, and what
// the next server has to be able to do.
type Facts struct {
	BareCR     bool // a CR without LF behind it (RFC 5321 §2.3.8)
	BareLF     bool // an LF without CR before it
	NUL        bool
	EightBit   bool // bytes above 127 in the header or the body: 8BITMIME
	UTF8Header bool // bytes above 127 in the header or in that of a part: SMTPUTF8
	MaxLine    int  // longest line in bytes without its end; RFC 5321 §4.5.3.1.6 allows 998
}

// Inspect reads a message once and says what is in it. The message's last line needs no end.
func Inspect(raw []byte) Facts {
	var f Facts
	for pos := 0; pos < len(raw); {
		next := lineEnd(raw, pos)
		line := raw[pos:next]
		pos = next
		if n := len(line); line[n-1] == '\n' {
			line = line[:n-1]
			if n > 1 && line[n-2] == '\r' {
				line = line[:n-2]
			} else {
				f.BareLF = true
			}
		}
		f.MaxLine = max(f.MaxLine, len(line))
		f.BareCR = f.BareCR || bytes.IndexByte(line, '\r') >= 0
		f.NUL = f.NUL || bytes.IndexByte(line, 0) >= 0
		f.EightBit = f.EightBit || eightBit(line)
	}
	if f.EightBit {
		for _, p := range Structure(raw) {
			if f.UTF8Header = eightBit(p.Header.Raw()); f.UTF8Header {
				break
			}
		}
	}
	return f
}

// eightBit reports whether there is a byte above 127.
func eightBit(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return true
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}
