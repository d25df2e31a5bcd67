package metal

import (
	"errors"
	"fmt"
	"net"
	"os"

	"cairn/libos/metal/kernel"
	"cairn/libos/metal/virtio"
)

// attach makes a device of device i of the kernel's.
func attach(i int, d kernel.Device) (virtio.Device, error) {
	if d.Bus == kernel.BusPCI {
		return virtio.NewPCI(virtio.PCIFunction{
			Place:      place(d),
			ID:         d.Kind,
			Common:     window(d.Common),
			Notify:     window(d.Notify),
			NotifySize: int(d.Notify.Size),
			NotifyStep: d.NotifyStep,
			Config:     window(d.Config),
			Message:    (&messages{table: d.Vectors}).next,
		}), nil
	}
	fd, ok := kernel.Interrupt(i)
	if !ok {
		return nil, fmt.Errorf("virtio %s at %s: there is no such interrupt as it says it has, or somebody else has it",
			virtio.KindName(d.Kind), place(d))
	}
	irq := newInterrupt(fd, place(d))
	device, err := virtio.NewMMIO(place(d), window(d.Registers), irq)
	if err != nil {
		return nil, errors.Join(err, irq.Close())
	}
	return device, nil
}

// An interrupt is a descriptor of the kernel's that counts. Waiting for it parks
// the goroutine and holds no thread.
type interrupt struct{ f *os.File }

func newInterrupt(fd uintptr, of string) interrupt {
	return interrupt{os.NewFile(fd, "interrupt of "+of)}
}

func (i interrupt) Wait() error {
	var count [8]byte
	_, err := i.f.Read(count[:])
	if errors.Is(err, os.ErrClosed) {
		return net.ErrClosed
	}
	return err
}

func (i interrupt) Close() error { return i.f.Close() }

// messages makes interrupts out of the entries of a function's MSI-X table (PCI 3.0,
// 6.8.2), from the first on.
type messages struct {
	table kernel.Window
	used  uintptr
}

const messageSize = 16

func (m *messages) next() (uint16, virtio.Interrupt, error) {
	if (m.used+1)*messageSize > m.table.Size {
		return 0, nil, errors.New("the device has no more messages")
	}
	fd, address, data, ok := kernel.Message()
	if !ok {
		return 0, nil, errors.New("the kernel has no more interrupts")
	}
	entry := m.table.Address + m.used*messageSize
	kernel.Store32(entry, uint32(address))
	kernel.Store32(entry+4, uint32(address>>32))
	kernel.Store32(entry+8, data)
	kernel.Store32(entry+12, 0) // not masked
	m.used++
	return uint16(m.used - 1), newInterrupt(fd, "a message"), nil
}

// memory is the kernel's; it counts what it gives.
type memory struct{ taken int64 }

func (m *memory) Alloc(n int) ([]byte, uint64, error) {
	b, phys := kernel.DMA(n)
	if b == nil {
		return nil, 0, fmt.Errorf("no %d bytes of memory in a row for a device: give the machine more", n)
	}
	m.taken += int64(n)
	return b, uint64(phys), nil
}

// A window is registers of a device.
type window kernel.Window

// at is where the n bytes at off are; 0 if they are not in w.
func (w window) at(off, n int) uintptr {
	if off < 0 || uintptr(off)+uintptr(n) > w.Size {
		return 0
	}
	return w.Address + uintptr(off)
}

func (w window) Load8(off int) uint8 {
	if a := w.at(off, 1); a != 0 {
		return kernel.Load8(a)
	}
	return 0xff
}

func (w window) Load16(off int) uint16 {
	if a := w.at(off, 2); a != 0 {
		return kernel.Load16(a)
	}
	return 0xffff
}

func (w window) Load32(off int) uint32 {
	if a := w.at(off, 4); a != 0 {
		return kernel.Load32(a)
	}
	return 0xffffffff
}

func (w window) Store8(off int, v uint8) {
	if a := w.at(off, 1); a != 0 {
		kernel.Store8(a, v)
	}
}

func (w window) Store16(off int, v uint16) {
	if a := w.at(off, 2); a != 0 {
		kernel.Store16(a, v)
	}
}

func (w window) Store32(off int, v uint32) {
	if a := w.at(off, 4); a != 0 {
		kernel.Store32(a, v)
	}
}
