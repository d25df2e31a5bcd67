package virtio

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Registers of the memory-mapped transport, version 2 (virtio 1.2, 4.2.2) and
// version 1 (4.2.4).
const (
	mmioMagic         = 0x000
	mmioVersion       = 0x004
	mmioID            = 0x008
	mmioFeatures      = 0x010
	mmioFeaturesWord  = 0x014
	mmioAccepted      = 0x020
	mmioAcceptedWord  = 0x024
	mmioPageSize      = 0x028 // version 1
	mmioQueue         = 0x030
	mmioQueueMax      = 0x034
	mmioQueueSize     = 0x038
	mmioQueueAlign    = 0x03c // version 1
	mmioQueuePage     = 0x040 // version 1
	mmioQueueOn       = 0x044
	mmioNotify        = 0x050
	mmioInterrupt     = 0x060
	mmioInterruptDone = 0x064
	mmioStatus        = 0x070
	mmioDesc          = 0x080
	mmioAvail         = 0x090
	mmioUsed          = 0x0a0
	mmioGeneration    = 0x0fc
	mmioConfig        = 0x100

	magic = 0x74726976 // "virt"

	// Bits of mmioInterrupt.
	interruptUsed   = 1
	interruptConfig = 2
)

// MMIO is a device whose registers are in memory. It has one interrupt for all its
// queues: whoever waits first waits for that, and everybody is told.
type MMIO struct {
	name   string
	regs   Registers
	irq    Interrupt
	id     uint32
	legacy bool

	changes atomic.Uint32

	mu      sync.Mutex
	told    sync.Cond
	waiting bool     // somebody waits for irq
	fired   uint64   // how often it has been raised
	seen    []uint64 // by the waiter of each queue
	err     error    // the end
}

var _ Device = (*MMIO)(nil)

// NewMMIO takes the device whose registers are r; place says where, for people.
func NewMMIO(place string, r Registers, irq Interrupt) (*MMIO, error) {
	if r.Load32(mmioMagic) != magic {
		return nil, fmt.Errorf("no virtio device at %s", place)
	}
	m := &MMIO{regs: r, irq: irq, id: r.Load32(mmioID)}
	m.name = fmt.Sprintf("virtio %s at %s", KindName(m.id), place)
	m.told.L = &m.mu
	switch v := r.Load32(mmioVersion); v {
	case 1:
		m.legacy = true
	case 2:
	default:
		return nil, fmt.Errorf("%s: its registers are of version %d, which is unknown", m.name, v)
	}
	return m, nil
}

func (m *MMIO) ID() uint32   { return m.id }
func (m *MMIO) Name() string { return m.name }
func (m *MMIO) Legacy() bool { return m.legacy }

func (m *MMIO) Reset() error {
	m.regs.Store32(mmioStatus, 0)
	return awaitReset(m.name, func() bool { return m.regs.Load32(mmioStatus) == 0 })
}

func (m *MMIO) Features() uint64 {
	m.regs.Store32(mmioFeaturesWord, 0)
	f := uint64(m.regs.Load32(mmioFeatures))
	if !m.legacy {
		m.regs.Store32(mmioFeaturesWord, 1)
		f |= uint64(m.regs.Load32(mmioFeatures)) << 32
	}
	return f
}

func (m *MMIO) Accept(features uint64) error {
	m.regs.Store32(mmioStatus, statusSeen)
	m.regs.Store32(mmioStatus, statusSeen|statusDriver)
	if !m.legacy {
		features |= Version1
		m.regs.Store32(mmioAcceptedWord, 1)
		m.regs.Store32(mmioAccepted, uint32(features>>32))
	}
	m.regs.Store32(mmioAcceptedWord, 0)
	m.regs.Store32(mmioAccepted, uint32(features))
	if m.legacy {
		m.regs.Store32(mmioPageSize, ringAlign)
		return nil
	}
	m.regs.Store32(mmioStatus, statusSeen|statusDriver|statusAccepted)
	if m.regs.Load32(mmioStatus)&statusAccepted == 0 {
		return fmt.Errorf("%s does not accept features %#x", m.name, features)
	}
	return nil
}

func (m *MMIO) QueueMax(i int) int {
	m.regs.Store32(mmioQueue, uint32(i))
	return int(min(m.regs.Load32(mmioQueueMax), 1<<15))
}

func (m *MMIO) SetQueue(i int, r Ring) error {
	if n := m.QueueMax(i); r.Size > n {
		return fmt.Errorf("%s: queue %d has %d descriptors at most, not %d", m.name, i, n, r.Size)
	}
	m.mu.Lock()
	for len(m.seen) <= i {
		m.seen = append(m.seen, m.fired)
	}
	m.mu.Unlock()
	m.regs.Store32(mmioQueueSize, uint32(r.Size))
	if m.legacy {
		if r.Desc%ringAlign != 0 || r.Desc/ringAlign > 1<<32-1 {
			return fmt.Errorf("%s: queue %d cannot lie at %#x", m.name, i, r.Desc)
		}
		m.regs.Store32(mmioQueueAlign, ringAlign)
		m.regs.Store32(mmioQueuePage, uint32(r.Desc/ringAlign))
		return nil
	}
	for _, part := range []struct {
		reg  int
		addr uint64
	}{{mmioDesc, r.Desc}, {mmioAvail, r.Avail}, {mmioUsed, r.Used}} {
		m.regs.Store32(part.reg, uint32(part.addr))
		m.regs.Store32(part.reg+4, uint32(part.addr>>32))
	}
	m.regs.Store32(mmioQueueOn, 1)
	return nil
}

func (m *MMIO) Start() error {
	m.regs.Store32(mmioStatus, m.regs.Load32(mmioStatus)|statusRunning)
	if m.Broken() {
		return fmt.Errorf("%s does not start", m.name)
	}
	return nil
}

func (m *MMIO) Notify(i int) { m.regs.Store32(mmioNotify, uint32(i)) }

func (m *MMIO) Wait(i int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.seen[i] == m.fired && m.err == nil {
		if m.waiting {
			m.told.Wait()
			continue
		}
		m.waiting = true
		m.mu.Unlock()
		err := m.irq.Wait()
		if err == nil {
			m.acknowledge()
		}
		m.mu.Lock()
		m.waiting = false
		m.fired++
		if err != nil {
			m.err = fmt.Errorf("%s: %w", m.name, err)
		}
		m.told.Broadcast()
	}
	m.seen[i] = m.fired
	return m.err
}

// acknowledge tells the device that its interrupt was heard. The pin may be one
// that is heard only when it rises, so it must have fallen once when this returns:
// there was no reason for it between the first store and the load, or there will be
// another interrupt.
func (m *MMIO) acknowledge() {
	for range 100 { // a device that changes for ever is not waited for
		m.regs.Store32(mmioInterruptDone, interruptUsed)
		if m.regs.Load32(mmioInterrupt)&interruptConfig == 0 {
			return
		}
		m.changes.Add(1)
		m.regs.Store32(mmioInterruptDone, interruptConfig)
	}
}

func (m *MMIO) Config(off int, p []byte) {
	if m.legacy {
		readConfig(m.regs, mmioConfig+off, p)
		return
	}
	readSteady(m.regs, mmioConfig+off, p, func() uint32 { return m.regs.Load32(mmioGeneration) })
}

func (m *MMIO) Changes() uint32 { return m.changes.Load() }
func (m *MMIO) Broken() bool    { return m.regs.Load32(mmioStatus)&statusBroken != 0 }

// Close stops the device and ends every Wait.
func (m *MMIO) Close() error {
	m.regs.Store32(mmioStatus, 0)
	return m.irq.Close()
}
