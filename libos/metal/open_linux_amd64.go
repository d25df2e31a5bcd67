package metal

import (
	"errors"
	"fmt"
	"runtime/debug"

	"cairn/libos/metal/kernel"
	"cairn/libos/metal/virtio"
)

func open() (*Machine, error) {
	m := &Machine{}
	devices, more := kernel.Devices()
	if more {
		return nil, fmt.Errorf("the machine has more than %d virtio devices", len(devices))
	}
	limit := debug.SetMemoryLimit(-1) // what the kernel has found for the program
	card, disk := shares(limit)
	var mem memory
	for i, d := range devices {
		if err := m.add(i, d, &mem, card, disk); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	debug.SetMemoryLimit(limit - mem.taken)
	return m, nil
}

// shares says how much of so much memory, in bytes, a card may have for frames, and a disk
// for requests: on a large machine as much as helps, on a small one what both still
// work well with.
func shares(total int64) (card, disk int) {
	card = int(min(max(total/48, 300<<10), 2<<20))
	disk = int(min(max(total/256, 64<<10), virtio.DefaultBlockMemory))
	return card, disk
}

// add starts device i, a card or a disk with that much memory of mem's.
func (m *Machine) add(i int, d kernel.Device, mem virtio.Memory, card, disk int) error {
	name := fmt.Sprintf("virtio %s at %s", virtio.KindName(d.Kind), place(d))
	switch d.Kind {
	case virtio.Network, virtio.Disk:
	case virtio.Console, virtio.Entropy:
		return nil // the kernel's
	default:
		m.Unknown = append(m.Unknown, name)
		return nil
	}
	if d.Problem != 0 {
		return fmt.Errorf("%s: %s", name, problems[d.Problem])
	}
	device, err := attach(i, d)
	if err != nil {
		return err
	}
	if d.Kind == virtio.Disk {
		opened, err := virtio.OpenBlock(device, mem, disk)
		if err != nil {
			return err
		}
		m.Disks = append(m.Disks, Disk{Name: name, ID: opened.ID(), Block: opened})
		return nil
	}
	opened, err := virtio.OpenNet(device, mem, card)
	if err != nil {
		return err
	}
	m.Networks = append(m.Networks, Network{Name: name, Link: opened})
	return nil
}

// close ends what has been started.
func (m *Machine) close() error {
	var errs []error
	for _, n := range m.Networks {
		errs = append(errs, n.Close())
	}
	for _, d := range m.Disks {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// place says where a device is as people write it.
func place(d kernel.Device) string {
	if d.Bus == kernel.BusMMIO {
		return fmt.Sprintf("mmio %#x", d.Place)
	}
	return fmt.Sprintf("pci %04x:%02x:%02x.%d", d.Place>>16, d.Place>>8&0xff, d.Place>>3&0x1f, d.Place&7)
}

var problems = map[uint32]string{
	kernel.ProblemVersion:  "its registers are of an unknown version",
	kernel.ProblemWindows:  "it lacks registers of the modern interface (virtio 1.0), or they are not in its memory",
	kernel.ProblemUnplaced: "its memory has no address, and the host bridge has none to give",
	kernel.ProblemMessages: "it has no message-signalled interrupts (MSI-X)",
}
