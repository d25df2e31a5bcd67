package gitwire

import (
	"io"
	"sync"
	"time"
)

// Bands of the side-band protocol (gitprotocol-pack, "Packfile Data").
const (
	bandData     = 1
	bandProgress = 2
	bandError    = 3
)

// A sideband multiplexes the bands onto one stream. Safe for concurrent use.
type sideband struct {
	max int // payload bytes of one line, the band's number included

	mu   sync.Mutex
	w    io.Writer
	buf  []byte    // one line under construction
	err  error     // the first error sticks
	last time.Time // of the last write
}

// newSideband makes lines of at most 65520 bytes, or of 1000 for the old
// "side-band" capability.
func newSideband(w io.Writer, old bool) *sideband {
	s := &sideband{max: pktPayloadMax, w: w}
	if old {
		s.max = 1000 - 4
	}
	return s
}

// write sends p on a band, cut into lines; an empty p sends one empty line,
// which receivers ignore.
func (s *sideband) write(band byte, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for first := true; s.err == nil && (first || n < len(p)); first = false {
		chunk := p[n:min(len(p), n+s.max-1)]
		s.buf = appendPktLength(s.buf[:0], len(chunk)+5)
		s.buf = append(s.buf, band)
		s.buf = append(s.buf, chunk...)
		if _, s.err = s.w.Write(s.buf); s.err == nil {
			n += len(chunk)
		}
	}
	s.last = time.Now()
	return n, s.err
}

// quiet reports whether nothing has been sent for so long.
func (s *sideband) quiet(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.last) >= d
}

// flush ends the stream of bands.
func (s *sideband) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_, s.err = io.WriteString(s.w, "0000")
	}
	return s.err
}

// band is one band as a Writer.
func (s *sideband) band(n byte) io.Writer { return bandWriter{s, n} }

type bandWriter struct {
	s *sideband
	n byte
}

func (b bandWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.s.write(b.n, p)
}
