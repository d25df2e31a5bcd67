package virtio

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// A simulated device shares the rings' memory with its driver and looks at it only
// when it was notified, so that a notification or an interrupt too few is a hang.
type simulated struct {
	t        testing.TB
	memory   *simMemory
	name     string
	id       uint32
	legacy   bool
	offers   uint64
	config   []byte
	max      [3]int // sizes of queues
	accepted uint64
	queues   [3]*simQueue
	started  atomic.Bool

	configMu sync.Mutex
	changes  atomic.Uint32
	broken   atomic.Bool

	notified   [3]chan struct{}
	interrupts [3]chan struct{}
	rings      [3]atomic.Int64 // notifications
	signals    [3]atomic.Int64 // interrupts

	startHook func() // is called by Start

	once   sync.Once
	closed chan struct{}
}

var _ Device = (*simulated)(nil)

func newSimulated(t testing.TB, id uint32, offers uint64) *simulated {
	s := &simulated{t: t, memory: newSimMemory(t), name: fmt.Sprintf("device %d of the test", id), id: id,
		offers: offers, legacy: offers&Version1 == 0, config: make([]byte, 64), max: [3]int{256, 256, 0}, closed: make(chan struct{})}
	for i := range s.notified {
		s.notified[i] = make(chan struct{}, 1)
		s.interrupts[i] = make(chan struct{}, 1)
	}
	return s
}

func (s *simulated) ID() uint32         { return s.id }
func (s *simulated) Name() string       { return s.name }
func (s *simulated) Legacy() bool       { return s.legacy }
func (s *simulated) Reset() error       { return nil }
func (s *simulated) Features() uint64   { return s.offers }
func (s *simulated) QueueMax(i int) int { return s.max[i] }
func (s *simulated) Changes() uint32    { return s.changes.Load() }
func (s *simulated) Broken() bool       { return s.broken.Load() }

func (s *simulated) Accept(features uint64) error {
	if features&^s.offers != 0 {
		s.t.Errorf("driver accepts features %#x of %#x", features, s.offers)
		return errors.New("features refused")
	}
	s.accepted = features
	return nil
}

func (s *simulated) SetQueue(i int, r Ring) error {
	s.queues[i] = newSimQueue(s, i, r)
	return nil
}

func (s *simulated) Start() error {
	s.started.Store(true)
	if s.startHook != nil {
		s.startHook()
	}
	return nil
}

func (s *simulated) Notify(i int) {
	if !s.started.Load() {
		s.t.Errorf("queue %d is notified before the start", i)
	}
	s.rings[i].Add(1)
	latch(s.notified[i])
}

func latch(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *simulated) Wait(i int) error {
	select {
	case <-s.interrupts[i]:
		return nil
	case <-s.closed:
		return net.ErrClosed
	}
}

func (s *simulated) interrupt(i int) {
	s.signals[i].Add(1)
	latch(s.interrupts[i])
}

func (s *simulated) Config(off int, p []byte) {
	s.configMu.Lock()
	defer s.configMu.Unlock()
	copy(p, s.config[off:])
}

// change changes the configuration and says so.
func (s *simulated) change(f func(config []byte)) {
	s.configMu.Lock()
	f(s.config)
	s.configMu.Unlock()
	s.changes.Add(1)
	for i := range s.queues {
		s.interrupt(i)
	}
}

func (s *simulated) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// isClosed reports whether the driver has stopped the device.
func (s *simulated) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// simMemory is memory that device and driver share.
type simMemory struct {
	t      testing.TB
	mu     sync.Mutex
	chunks []simChunk
	next   uint64
	left   int
}

type simChunk struct {
	phys uint64
	mem  []byte
}

func newSimMemory(t testing.TB) *simMemory {
	return &simMemory{t: t, next: 0x1234000, left: 1 << 30}
}

func (m *simMemory) Alloc(n int) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left -= n; m.left < 0 {
		return nil, 0, errors.New("no memory")
	}
	b := make([]byte, n+4096)
	skip := int(-uintptr(unsafe.Pointer(&b[0])) & 4095)
	c := simChunk{m.next, b[skip : skip+n : skip+n]}
	m.chunks = append(m.chunks, c)
	m.next += uint64(n+2*4096) &^ 4095 // with a gap
	return c.mem, c.phys, nil
}

// at returns n bytes at a physical address, nil where they are not the driver's to give.
func (m *simMemory) at(phys uint64, n int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.chunks {
		if off := phys - c.phys; phys >= c.phys && off <= uint64(len(c.mem)) && uint64(n) <= uint64(len(c.mem))-off {
			return c.mem[off : off+uint64(n) : off+uint64(n)]
		}
	}
	return nil
}
