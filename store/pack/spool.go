package pack

import (
	"io"
	"sync"
)

// A Spool is where a pack lies while it is received: an empty *os.File, or a Buffer.
type Spool interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// A Buffer is a Spool in memory. Its zero value is empty.
type Buffer struct {
	mu sync.RWMutex
	b  []byte
}

// Bytes returns the content, which is shared with the Buffer.
func (s *Buffer) Bytes() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.b
}

func (s *Buffer) ReadAt(p []byte, off int64) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if off >= int64(len(s.b)) {
		return 0, io.EOF
	}
	n := copy(p, s.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *Buffer) WriteAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grow(off + int64(len(p)))
	return copy(s.b[off:], p), nil
}

// Truncate cuts the content off at size, or fills it up with zeros.
func (s *Buffer) Truncate(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grow(size)
	clear(s.b[size:])
	s.b = s.b[:size]
	return nil
}

func (s *Buffer) grow(size int64) {
	if n := size - int64(len(s.b)); n > 0 {
		s.b = append(s.b, make([]byte, n)...)
	}
}
