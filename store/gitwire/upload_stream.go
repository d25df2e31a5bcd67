package gitwire

import (
	"hash"
	"io"
)

// A packStream hashes and counts what goes through it and writes it in pieces
// of one size. The first error sticks.
type packStream struct {
	w    io.Writer
	sum  hash.Hash
	buf  []byte // its capacity is the size of a piece
	size int64  // bytes so far
	err  error
}

func (s *packStream) Write(b []byte) (int, error) {
	s.write(b)
	return len(b), s.err
}

func (s *packStream) write(b []byte) {
	s.size += int64(len(b))
	for s.err == nil && len(b) > 0 {
		n := min(len(b), cap(s.buf)-len(s.buf))
		s.buf = append(s.buf, b[:n]...)
		b = b[n:]
		if len(s.buf) == cap(s.buf) {
			s.sum.Write(s.buf)
			s.flush()
		}
	}
}

func (s *packStream) flush() {
	if s.err == nil && len(s.buf) > 0 {
		_, s.err = s.w.Write(s.buf)
	}
	s.buf = s.buf[:0]
}

// close ends the pack with its checksum.
func (s *packStream) close() error {
	s.sum.Write(s.buf)
	sum := s.sum.Sum(nil)
	if len(s.buf)+len(sum) > cap(s.buf) {
		s.flush()
	}
	s.buf = append(s.buf, sum...)
	s.flush()
	return s.err
}
