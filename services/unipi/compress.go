package unipi

import (
	"bytes"
	"io"
	"sync"

	"cairn/store"

	br "github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Files are compressed on the fly between these sizes, in bytes: below, a
// packet is a packet; above, it would hold a processor for seconds.
const (
	minSqueeze = 1 << 10
	maxSqueeze = 8 << 20
)

// A squeezer compresses contents, each once per coding as long as the result
// is remembered.
type squeezer struct {
	done table[codedKey, []byte] // nil: not worth it

	mu      sync.Mutex
	flights map[codedKey]chan struct{} // being made now; closed when done
}

type codedKey struct {
	blob store.Hash
	as   coding
}

// squeeze returns body, which has that hash, in a coding; nil when that would
// not be smaller. ready is false while another request is making it: send
// something else now, or wait.
func (s *squeezer) squeeze(key codedKey, body []byte, wait bool) (coded []byte, ready bool) {
	for {
		s.mu.Lock()
		if coded, ok := s.done.load(key); ok { // under mu: a flight ends after its result is kept
			s.mu.Unlock()
			return coded, true
		}
		flight, busy := s.flights[key]
		if !busy {
			if s.flights == nil {
				s.flights = map[codedKey]chan struct{}{}
			}
			flight = make(chan struct{})
			s.flights[key] = flight
		}
		s.mu.Unlock()
		switch {
		case !busy:
			return s.make(key, body, flight), true
		case !wait:
			return nil, false
		}
		<-flight
	}
}

func (s *squeezer) make(key codedKey, body []byte, flight chan struct{}) []byte {
	defer func() {
		s.mu.Lock()
		delete(s.flights, key)
		s.mu.Unlock()
		close(flight)
	}()
	coded := encode(key.as, body)
	if len(coded)+len(coded)/16 >= len(body) {
		coded = nil
	}
	s.done.store(key, coded, int64(len(coded))+128)
	return coded
}

// encode compresses body. Larger bodies get less effort.
func encode(as coding, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body)/4 + 64)
	var w io.WriteCloser
	switch as {
	case brotli:
		level := 6
		if len(body) > 256<<10 {
			level = 4
		}
		w = br.NewWriterLevel(&out, level)
	case zstandard:
		return zstdEncoder().EncodeAll(body, out.AvailableBuffer())
	case gzipped:
		w, _ = gzip.NewWriterLevel(&out, gzip.DefaultCompression) // the level is valid
	default:
		return body
	}
	// Writes to a bytes.Buffer do not fail.
	_, _ = w.Write(body)
	_ = w.Close()
	return out.Bytes()
}

// zstdEncoder is shared: EncodeAll may be called concurrently.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})
