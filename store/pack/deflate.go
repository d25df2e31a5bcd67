package pack

import (
	"encoding/binary"
	"hash/adler32"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// A Level is how hard a Writer compresses: a zlib level.
type Level int

// The levels that are in use.
const (
	Stored  Level = 0 // not at all: for fresh packs, that will be merged
	Fast    Level = 1
	Default Level = 6
)

var deflaters [10]sync.Pool

// minDeflate is from how many bytes on it is tried to make them fewer: most shorter ones are deltas
// with hashes in them.
const minDeflate = 80

// deflate appends the zlib stream of data.
func deflate(dst, data []byte, level Level) []byte {
	if level == Stored || len(data) < minDeflate {
		return appendStored(dst, data)
	}
	w := appender{dst}
	z := newDeflater(&w, level)
	z.Write(data)
	z.Close()
	deflaters[level].Put(z)
	return w.b
}

func newDeflater(w io.Writer, level Level) *zlib.Writer {
	if z, ok := deflaters[level].Get().(*zlib.Writer); ok {
		z.Reset(w)
		return z
	}
	z, err := zlib.NewWriterLevel(w, int(level))
	if err != nil {
		panic(err) // a level that is not one of ours
	}
	return z
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// maxStored is the longest stored block (RFC 1951 §3.2.4).
const maxStored = 1<<16 - 1

// appendStored appends a zlib stream (RFC 1950) of stored blocks.
func appendStored(dst, data []byte) []byte {
	sum := adler32.Checksum(data)
	dst = append(dst, 0x78, 0x01)
	for {
		n := min(len(data), maxStored)
		last := byte(0)
		if n == len(data) {
			last = 1
		}
		dst = append(dst, last)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(n))
		dst = binary.LittleEndian.AppendUint16(dst, ^uint16(n))
		dst = append(dst, data[:n]...)
		data = data[n:]
		if last == 1 {
			return binary.BigEndian.AppendUint32(dst, sum)
		}
	}
}

// isStored says whether a zlib stream begins with a stored block.
func isStored(stream []byte) bool {
	return len(stream) > 2 && stream[2]>>1&3 == 0
}
