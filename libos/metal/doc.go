// Package metal is a virtual machine without an operating system as a world for
// services: it makes the devices that package kernel found into those of package
// libos. Elsewhere Running is false, and Open an error.
//
//	if metal.Running() {
//		m, err := metal.Open()
//		…                       // m.Networks[0] is a libos.Link, m.Disks[0] a libos.Block
//	}
//
// Devices are virtio ones (virtio 1.2): registers in memory, of version 1 or 2, or PCI
// functions with the modern interface and MSI-X. The kernel itself uses entropy sources
// and consoles.
package metal
