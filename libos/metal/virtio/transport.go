package virtio

import (
	"fmt"
	"io"
	"time"
)

// Registers are a stretch of a device's memory. Each access is one access to the
// device, of that width, at an offset in bytes that is a multiple of it. What lies
// beyond its end reads as ones and keeps nothing.
type Registers interface {
	Load8(off int) uint8
	Load16(off int) uint16
	Load32(off int) uint32
	Store8(off int, v uint8)
	Store16(off int, v uint16)
	Store32(off int, v uint32)
}

// An Interrupt is one that a device raises.
type Interrupt interface {
	// Wait waits until it is raised, or has been since the last Wait. After Close it
	// returns net.ErrClosed.
	Wait() error
	io.Closer
}

// Bits of a device's status (virtio 1.2, 2.1).
const (
	statusSeen     = 1
	statusDriver   = 2
	statusRunning  = 4
	statusAccepted = 8
	statusBroken   = 64
)

// KindName is the name of a kind of device, for people.
func KindName(id uint32) string {
	names := map[uint32]string{Network: "network card", Disk: "disk", Console: "console", Entropy: "entropy source",
		5: "balloon", 8: "SCSI adapter", 9: "9P share", 16: "graphics card", 18: "input device", 19: "socket device",
		20: "crypto device", 23: "IOMMU", 24: "memory device", 26: "file system", 27: "persistent memory"}
	if n := names[id]; n != "" {
		return n
	}
	return fmt.Sprintf("device of kind %d", id)
}

// resetWithin is how long a device may take to end what it is doing.
const resetWithin = 5 * time.Second

// awaitReset polls until zero holds.
func awaitReset(name string, zero func() bool) error {
	for start := time.Now(); !zero(); time.Sleep(time.Millisecond) {
		if time.Since(start) > resetWithin {
			return fmt.Errorf("%s does not end what it is doing when reset", name)
		}
	}
	return nil
}

// readConfig fills p from the registers of a configuration at off: a number by one
// access of its width, anything else byte by byte (virtio 1.2, 2.5.1).
func readConfig(r Registers, off int, p []byte) {
	switch {
	case len(p) == 2 && off%2 == 0:
		v := r.Load16(off)
		p[0], p[1] = byte(v), byte(v>>8)
	case (len(p) == 4 || len(p) == 8) && off%4 == 0:
		for i := 0; i < len(p); i += 4 {
			v := r.Load32(off + i)
			p[i], p[i+1], p[i+2], p[i+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
		}
	default:
		for i := range p {
			p[i] = r.Load8(off + i)
		}
	}
}

// readSteady fills p as readConfig does, again while the generation of the
// configuration changes meanwhile. A device that never stops changing it gets what it
// deserves.
func readSteady(r Registers, off int, p []byte, generation func() uint32) {
	for range 100 {
		before := generation()
		readConfig(r, off, p)
		if generation() == before {
			return
		}
	}
}
