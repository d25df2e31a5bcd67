package lazy

import (
	"io"
	"sync"
)

// spoolBytes is the size of a spool's chunks.
const spoolBytes = 64 << 10

// A spool is a pack.Spool in memory. It takes from the bound what it holds, and is freed
// from the front as the pack in it is taken apart.
type spool struct {
	m *memory

	mu     sync.RWMutex
	chunks [][]byte // nil: freed
	size   int64
	freed  int // chunks
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (n int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for n < len(p) {
		at := off + int64(n)
		if at >= s.size || s.chunks[at/spoolBytes] == nil {
			return n, io.EOF
		}
		chunk := s.chunks[at/spoolBytes]
		end := min(int64(len(chunk)), s.size-at/spoolBytes*spoolBytes)
		n += copy(p[n:], chunk[at%spoolBytes:end])
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (s *spool) WriteAt(p []byte, off int64) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.grow(off + int64(len(p))); err != nil {
		return 0, err
	}
	for n < len(p) {
		at := off + int64(n)
		n += copy(s.chunks[at/spoolBytes][at%spoolBytes:], p[n:])
	}
	return n, nil
}

// Truncate implements pack.Spool.
func (s *spool) Truncate(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.grow(size); err != nil {
		return err
	}
	for last := int((size + spoolBytes - 1) / spoolBytes); len(s.chunks) > last; {
		s.release(len(s.chunks) - 1)
		s.chunks = s.chunks[:len(s.chunks)-1]
	}
	if tail := size % spoolBytes; tail > 0 {
		clear(s.chunks[len(s.chunks)-1][tail:])
	}
	s.size = size
	return nil
}

func (s *spool) grow(size int64) error {
	for int64(len(s.chunks))*spoolBytes < size {
		if err := s.m.reserve(spoolBytes); err != nil {
			return err
		}
		s.chunks = append(s.chunks, make([]byte, spoolBytes))
	}
	s.size = max(s.size, size)
	return nil
}

// free gives back what lies wholly before off.
func (s *spool) free(off int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.freed < len(s.chunks) && int64(s.freed+1)*spoolBytes <= off {
		s.release(s.freed)
		s.freed++
	}
}

// release gives back one chunk.
func (s *spool) release(i int) {
	if s.chunks[i] != nil {
		s.chunks[i] = nil
		s.m.reserve(-spoolBytes)
	}
}

// discard gives everything back.
func (s *spool) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.chunks {
		s.release(i)
	}
	s.chunks, s.size = nil, 0
}
