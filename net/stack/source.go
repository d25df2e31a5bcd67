package stack

import (
	"encoding/binary"
	"io"
	"math/rand"
	"sync"
)

// A source is a reader that several goroutines may use, and makes math/rand's
// numbers of what it gives.
type source struct {
	mu sync.Mutex
	r  io.Reader
}

var _ rand.Source64 = (*source)(nil)

func newSource(r io.Reader) *source { return &source{r: r} }

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}

// Uint64 panics when the reader has no more.
func (s *source) Uint64() uint64 {
	var b [8]byte
	if _, err := io.ReadFull(s, b[:]); err != nil {
		panic(err)
	}
	return binary.LittleEndian.Uint64(b[:])
}

func (s *source) Int63() int64 { return int64(s.Uint64() >> 1) }

// Seed does nothing: the reader has its own.
func (s *source) Seed(int64) {}
