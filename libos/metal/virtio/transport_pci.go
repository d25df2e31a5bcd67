package virtio

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// The common structure of the PCI transport (virtio 1.2, 4.1.4.3).
const (
	pciFeaturesWord = 0x00
	pciFeatures     = 0x04
	pciAcceptedWord = 0x08
	pciAccepted     = 0x0c
	pciConfigVector = 0x10
	pciQueues       = 0x12
	pciStatus       = 0x14
	pciGeneration   = 0x15
	pciQueue        = 0x16
	pciQueueSize    = 0x18
	pciQueueVector  = 0x1a
	pciQueueOn      = 0x1c
	pciQueueNotify  = 0x1e
	pciDesc         = 0x20
	pciAvail        = 0x28
	pciUsed         = 0x30

	noVector = 0xffff
)

// A PCIFunction is a virtio device on PCI as it was found.
type PCIFunction struct {
	Place      string // where it is, for people
	ID         uint32
	Common     Registers
	Notify     Registers
	NotifySize int    // bytes
	NotifyStep uint32 // bytes from the register of one queue to that of the next
	Config     Registers

	// Message makes an interrupt of its own out of a message that the device can send,
	// and says by which number the device knows it.
	Message func() (number uint16, irq Interrupt, err error)
}

// PCI is a device on PCI, by the modern interface. Each queue has an
// interrupt of its own, and changes of the configuration have one.
type PCI struct {
	f    PCIFunction
	name string

	changes atomic.Uint32
	running sync.WaitGroup // of whoever waits for changes

	queues []pciQueueAt
	config Interrupt
}

type pciQueueAt struct {
	irq    Interrupt
	notify int // offset in f.Notify
}

var _ Device = (*PCI)(nil)

// NewPCI takes the device f.
func NewPCI(f PCIFunction) *PCI {
	return &PCI{f: f, name: fmt.Sprintf("virtio %s at %s", KindName(f.ID), f.Place)}
}

func (p *PCI) ID() uint32   { return p.f.ID }
func (p *PCI) Name() string { return p.name }
func (p *PCI) Legacy() bool { return false }

func (p *PCI) Reset() error {
	p.f.Common.Store8(pciStatus, 0)
	return awaitReset(p.name, func() bool { return p.f.Common.Load8(pciStatus) == 0 })
}

func (p *PCI) Features() uint64 {
	p.f.Common.Store32(pciFeaturesWord, 0)
	f := uint64(p.f.Common.Load32(pciFeatures))
	p.f.Common.Store32(pciFeaturesWord, 1)
	return f | uint64(p.f.Common.Load32(pciFeatures))<<32
}

func (p *PCI) Accept(features uint64) error {
	features |= Version1
	c := p.f.Common
	c.Store8(pciStatus, statusSeen)
	c.Store8(pciStatus, statusSeen|statusDriver)
	for word := range 2 {
		c.Store32(pciAcceptedWord, uint32(word))
		c.Store32(pciAccepted, uint32(features>>(32*word)))
	}
	c.Store8(pciStatus, statusSeen|statusDriver|statusAccepted)
	if c.Load8(pciStatus)&statusAccepted == 0 {
		return fmt.Errorf("%s does not accept features %#x", p.name, features)
	}
	return nil
}

func (p *PCI) QueueMax(i int) int {
	if i >= int(p.f.Common.Load16(pciQueues)) {
		return 0
	}
	p.f.Common.Store16(pciQueue, uint16(i))
	return int(min(p.f.Common.Load16(pciQueueSize), 1<<15))
}

func (p *PCI) SetQueue(i int, r Ring) error {
	if n := p.QueueMax(i); r.Size > n {
		return fmt.Errorf("%s: queue %d has %d descriptors at most, not %d", p.name, i, n, r.Size)
	}
	c := p.f.Common
	at := int(c.Load16(pciQueueNotify)) * int(p.f.NotifyStep)
	if at > p.f.NotifySize-2 {
		return fmt.Errorf("%s: the register of queue %d lies outside of its memory", p.name, i)
	}
	number, irq, err := p.f.Message()
	if err != nil {
		return fmt.Errorf("%s: interrupt of queue %d: %w", p.name, i, err)
	}
	for len(p.queues) <= i {
		p.queues = append(p.queues, pciQueueAt{})
	}
	p.queues[i] = pciQueueAt{irq, at}
	c.Store16(pciQueueSize, uint16(r.Size))
	c.Store16(pciQueueVector, number)
	if c.Load16(pciQueueVector) != number {
		return fmt.Errorf("%s has no interrupt to give to queue %d", p.name, i)
	}
	for _, part := range []struct {
		reg  int
		addr uint64
	}{{pciDesc, r.Desc}, {pciAvail, r.Avail}, {pciUsed, r.Used}} {
		c.Store32(part.reg, uint32(part.addr))
		c.Store32(part.reg+4, uint32(part.addr>>32))
	}
	c.Store16(pciQueueOn, 1)
	return nil
}

// Start lets the device run. One that has no interrupt left for changes of its
// configuration does not tell of them.
func (p *PCI) Start() error {
	c := p.f.Common
	if number, irq, err := p.f.Message(); err == nil {
		c.Store16(pciConfigVector, number)
		if c.Load16(pciConfigVector) != number {
			c.Store16(pciConfigVector, noVector)
		}
		p.config = irq
		p.running.Go(p.watch)
	}
	c.Store8(pciStatus, c.Load8(pciStatus)|statusRunning)
	if p.Broken() {
		return fmt.Errorf("%s does not start", p.name)
	}
	return nil
}

// watch counts changes of the configuration, until Close.
func (p *PCI) watch() {
	for p.config.Wait() == nil {
		p.changes.Add(1)
	}
}

func (p *PCI) Notify(i int) { p.f.Notify.Store16(p.queues[i].notify, uint16(i)) }

func (p *PCI) Wait(i int) error {
	if err := p.queues[i].irq.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func (p *PCI) Config(off int, b []byte) {
	readSteady(p.f.Config, off, b, func() uint32 { return uint32(p.f.Common.Load8(pciGeneration)) })
}

func (p *PCI) Changes() uint32 { return p.changes.Load() }
func (p *PCI) Broken() bool    { return p.f.Common.Load8(pciStatus)&statusBroken != 0 }

// Close stops the device and ends every Wait.
func (p *PCI) Close() error {
	p.f.Common.Store8(pciStatus, 0)
	for _, q := range p.queues {
		if q.irq != nil {
			q.irq.Close()
		}
	}
	if p.config != nil {
		p.config.Close()
		p.running.Wait()
	}
	return nil
}
