package virtio

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// A chip is the registers of a device that a test makes up: what was stored last,
// unless a hook says else.
type chip struct {
	mu     sync.Mutex
	bytes  map[int]uint8
	load   map[int]func() uint32 // by offset
	store  map[int]func(v uint32)
	stored []uint64 // offset<<32 | value, in order
}

func newChip() *chip {
	return &chip{bytes: map[int]uint8{}, load: map[int]func() uint32{}, store: map[int]func(uint32){}}
}

func (c *chip) get(off, n int) (v uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.load[off]; f != nil {
		return f()
	}
	for i := range n {
		v |= uint32(c.bytes[off+i]) << (8 * i)
	}
	return v
}

func (c *chip) set(off, n int, v uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = append(c.stored, uint64(off)<<32|uint64(v))
	for i := range n {
		c.bytes[off+i] = uint8(v >> (8 * i))
	}
	if f := c.store[off]; f != nil {
		f(v)
	}
}

func (c *chip) Load8(off int) uint8        { return uint8(c.get(off, 1)) }
func (c *chip) Load16(off int) uint16      { return uint16(c.get(off, 2)) }
func (c *chip) Load32(off int) uint32      { return c.get(off, 4) }
func (c *chip) Store8(off int, v uint8)    { c.set(off, 1, uint32(v)) }
func (c *chip) Store16(off int, v uint16)  { c.set(off, 2, uint32(v)) }
func (c *chip) Store32(off int, v uint32)  { c.set(off, 4, v) }
func (c *chip) constant(off int, v uint32) { c.load[off] = func() uint32 { return v } }

// A line is an interrupt.
type line struct {
	raised chan struct{}
	once   sync.Once
	closed chan struct{}
}

func newLine() *line { return &line{raised: make(chan struct{}, 1), closed: make(chan struct{})} }

func (l *line) raise() {
	select {
	case l.raised <- struct{}{}:
	default:
	}
}

func (l *line) Wait() error {
	select {
	case <-l.raised:
		return nil
	case <-l.closed:
		return net.ErrClosed
	}
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// newTestMMIO is a disk behind registers of a version.
func newTestMMIO(t *testing.T, version uint32) (*MMIO, *chip, *line) {
	t.Helper()
	c, l := newChip(), newLine()
	c.constant(mmioMagic, magic)
	c.constant(mmioVersion, version)
	c.constant(mmioID, Disk)
	c.constant(mmioQueueMax, 128)
	m, err := NewMMIO("mmio 0xfeb00000", c, l)
	if err != nil {
		t.Fatal(err)
	}
	return m, c, l
}

// stores returns what was stored into some registers, in order.
func (c *chip) stores(regs ...int) (got []uint64) {
	for _, s := range c.stored {
		if slices.Contains(regs, int(s>>32)) {
			got = append(got, s)
		}
	}
	return got
}

func pair(off int, v uint32) uint64 { return uint64(off)<<32 | uint64(v) }

// TestMMIOStart checks what a device is told, in order, in both versions.
func TestMMIOStart(t *testing.T) {
	ring := Ring{Size: 64, Desc: 0x123456000, Avail: 0x123456400, Used: 0x123457000}
	for version, want := range map[uint32][]uint64{
		1: {
			pair(mmioStatus, 0), pair(mmioStatus, 1), pair(mmioStatus, 3), pair(mmioAcceptedWord, 0), pair(mmioAccepted, EventIndex), pair(mmioPageSize, 4096),
			pair(mmioQueueSize, 64), pair(mmioQueueAlign, 4096), pair(mmioQueuePage, 0x123456), pair(mmioStatus, 7), pair(mmioNotify, 0),
		},
		2: {
			pair(mmioStatus, 0), pair(mmioStatus, 1), pair(mmioStatus, 3), pair(mmioAcceptedWord, 1), pair(mmioAccepted, 1), pair(mmioAcceptedWord, 0),
			pair(mmioAccepted, EventIndex), pair(mmioStatus, 11), pair(mmioQueueSize, 64), pair(mmioDesc, 0x23456000), pair(mmioDesc+4, 1), pair(mmioAvail, 0x23456400),
			pair(mmioAvail+4, 1), pair(mmioUsed, 0x23457000), pair(mmioUsed+4, 1), pair(mmioQueueOn, 1), pair(mmioStatus, 15), pair(mmioNotify, 0),
		},
	} {
		m, c, _ := newTestMMIO(t, version)
		for _, err := range []error{m.Reset(), m.Accept(EventIndex), m.SetQueue(0, ring), m.Start()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		m.Notify(0)
		c.stored = slices.DeleteFunc(c.stored, func(s uint64) bool { return s>>32 == mmioQueue })
		if !slices.Equal(c.stored, want) {
			t.Errorf("version %d was told %#x, want %#x", version, c.stored, want)
		}
		if m.Legacy() != (version == 1) || m.Name() != "virtio disk at mmio 0xfeb00000" {
			t.Errorf("version %d: legacy %t, name %q", version, m.Legacy(), m.Name())
		}
	}
}

// TestMMIORefused names the device and what is wrong with it.
func TestMMIORefused(t *testing.T) {
	c := newChip()
	if _, err := NewMMIO("mmio 0x1", c, newLine()); err == nil {
		t.Error("there is a device where none is")
	}
	c.constant(mmioMagic, magic)
	c.constant(mmioVersion, 3)
	if _, err := NewMMIO("mmio 0x1", c, newLine()); err == nil {
		t.Error("version 3 is taken")
	}
	m, c, _ := newTestMMIO(t, 2)
	c.constant(mmioStatus, statusSeen|statusDriver)
	if err := m.Accept(0); err == nil || !strings.HasPrefix(err.Error(), m.Name()) {
		t.Errorf("features that are refused: %v", err)
	}
	if err := m.SetQueue(0, Ring{Size: 256}); err == nil {
		t.Error("a queue is larger than it can be")
	}
	m, _, _ = newTestMMIO(t, 1)
	if err := m.SetQueue(0, Ring{Size: 64, Desc: 1 << 45}); err == nil {
		t.Error("version 1 has a queue where it cannot reach")
	}
	m, c, _ = newTestMMIO(t, 2)
	c.constant(mmioStatus, statusBroken)
	if err := m.Start(); err == nil || !m.Broken() {
		t.Error("a device that wants a reset has started")
	}
}

// TestResetNeverEnds: who does not reset is given up.
func TestResetNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c, _ := newTestMMIO(t, 2)
		c.constant(mmioStatus, statusRunning)
		if err := m.Reset(); err == nil {
			t.Error("no error")
		}
		p, c, _ := newTestPCI(t)
		c.constant(pciStatus, statusRunning)
		if err := p.Reset(); err == nil {
			t.Error("no error")
		}
	})
}

// TestMMIOWait: one interrupt is for the waiters of all queues, also for those who
// come later; each hears of it once.
func TestMMIOWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, l := newTestMMIO(t, 2)
		for i := range 2 {
			if err := m.SetQueue(i, Ring{Size: 64}); err != nil {
				t.Fatal(err)
			}
		}
		heard := make(chan int)
		wait := func(i int) {
			if m.Wait(i) == nil {
				heard <- i
			}
		}
		go wait(0)
		synctest.Wait()
		l.raise()
		if got := <-heard; got != 0 {
			t.Errorf("queue %d heard", got)
		}
		go wait(0)
		synctest.Wait()
		wait1 := make(chan error)
		go func() { wait1 <- m.Wait(1) }()
		if err := <-wait1; err != nil { // of before
			t.Error(err)
		}
		go func() { wait1 <- m.Wait(1) }()
		synctest.Wait()
		l.raise()
		if err := <-wait1; err != nil {
			t.Error(err)
		}
		<-heard
		go func() { wait1 <- m.Wait(0) }()
		go func() { wait1 <- m.Wait(1) }()
		synctest.Wait()
		m.Close()
		for range 2 {
			if err := <-wait1; !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v, want %v", err, net.ErrClosed)
			}
		}
	})
}

// TestMMIOAcknowledge: the pin has fallen when the interrupt is acknowledged, whenever
// there was news, and changes of the configuration are counted.
func TestMMIOAcknowledge(t *testing.T) {
	for _, late := range []uint32{0, interruptUsed, interruptConfig, interruptUsed | interruptConfig} {
		m, c, _ := newTestMMIO(t, 2)
		status, rises := uint32(interruptUsed|interruptConfig), 1
		raise := func(bits uint32) {
			if status == 0 && bits != 0 {
				rises++
			}
			status |= bits
		}
		c.store[mmioInterruptDone] = func(v uint32) {
			status &^= v
			raise(late) // more, just now
			late = 0
		}
		c.load[mmioInterrupt] = func() uint32 { return status }
		m.acknowledge()
		if status != 0 && rises == 1 {
			t.Errorf("the pin is still high (%#x) and has not risen again", status)
		}
		if m.Changes() == 0 {
			t.Error("a change was not counted")
		}
	}
	m, c, _ := newTestMMIO(t, 2)
	c.constant(mmioInterrupt, interruptConfig)
	m.acknowledge() // returns
}

// TestConfig: a configuration is all of one moment, read in the width of what is asked.
func TestConfig(t *testing.T) {
	m, c, _ := newTestMMIO(t, 2)
	generation := uint32(0)
	c.load[mmioGeneration] = func() uint32 { return generation }
	c.load[mmioConfig] = func() uint32 {
		if generation < 2 {
			generation++ // it changes while it is read
		}
		return generation
	}
	p := make([]byte, 8)
	m.Config(0, p)
	if p[0] != 2 {
		t.Errorf("read % x, want what it was at last", p)
	}
	c.load[mmioGeneration] = func() uint32 { generation++; return generation }
	m.Config(0, p) // returns
}

// newTestPCI is a card on PCI with three messages.
func newTestPCI(t *testing.T) (*PCI, *chip, []*line) {
	t.Helper()
	common, lines, used := newChip(), []*line{newLine(), newLine(), newLine()}, 0
	common.constant(pciQueues, 2)
	common.constant(pciQueueSize, 256)
	return NewPCI(PCIFunction{Place: "pci 0000:00:03.0", ID: Network, Common: common, Notify: newChip(), NotifySize: 0x1000, NotifyStep: 4, Config: newChip(),
		Message: func() (uint16, Interrupt, error) {
			if used == len(lines) {
				return 0, nil, errors.New("no more messages")
			}
			used++
			return uint16(used - 1), lines[used-1], nil
		}}), common, lines
}

// TestPCI: each queue has its own interrupt and its own register, and changes are
// counted as they come.
func TestPCI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c, lines := newTestPCI(t)
		offset := uint32(0)
		c.load[pciQueueNotify] = func() uint32 { offset++; return offset }
		if err := errors.Join(p.Reset(), p.Accept(EventIndex), p.SetQueue(0, Ring{Size: 64, Desc: 1 << 32}), p.SetQueue(1, Ring{Size: 64}), p.Start()); err != nil {
			t.Fatal(err)
		}
		if got := c.stores(pciQueueVector, pciConfigVector); !slices.Equal(got, []uint64{pair(pciQueueVector, 0), pair(pciQueueVector, 1), pair(pciConfigVector, 2)}) {
			t.Errorf("messages are given as %#x", got)
		}
		if got := c.stores(pciStatus); got[len(got)-1] != pair(pciStatus, 15) {
			t.Errorf("the status is %#x", got)
		}
		p.Notify(1)
		if got := p.f.Notify.(*chip).stored; !slices.Equal(got, []uint64{pair(8, 1)}) {
			t.Errorf("queue 1 was told by %#x", got)
		}
		lines[1].raise()
		if err := p.Wait(1); err != nil {
			t.Error(err)
		}
		lines[2].raise()
		synctest.Wait()
		if p.Changes() != 1 {
			t.Errorf("%d changes, want 1", p.Changes())
		}
		ended := make(chan error)
		go func() { ended <- p.Wait(0) }()
		synctest.Wait()
		p.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestPCIRefused: what does not fit is an error that names the device.
func TestPCIRefused(t *testing.T) {
	for name, set := range map[string]func(*chip){
		"a register outside": func(c *chip) { c.constant(pciQueueNotify, 0xffff) },
		"no message taken":   func(c *chip) { c.constant(pciQueueVector, noVector) },
		"too large":          func(c *chip) { c.constant(pciQueueSize, 32) },
		"no queues":          func(c *chip) { c.constant(pciQueues, 0) },
	} {
		p, c, _ := newTestPCI(t)
		set(c)
		if err := p.SetQueue(0, Ring{Size: 64}); err == nil || !strings.HasPrefix(err.Error(), p.Name()) {
			t.Errorf("%s: %v", name, err)
		}
		p.Close()
	}
	p, c, _ := newTestPCI(t)
	c.constant(pciStatus, 0)
	if p.Accept(0) == nil {
		t.Error("features that are refused are no error")
	}
	c.constant(pciStatus, statusBroken)
	if p.Start() == nil {
		t.Error("a broken device starts")
	}
	p.Close()
}
