package kernel

import "unsafe"

// For ordinary code, on goroutines, where Running.

const (
	buttonNumber = 1 << 20  // stands for a device in callInterrupt
	maxDMA       = 64 << 20 // bytes at a time
)

// Devices are the virtio devices of the machine; more says that it has others,
// which were too many.
func Devices() (list []Device, more bool) {
	return append(list, devices[:deviceCount]...), missed
}

// failed reports whether the result of a system call is an error.
func failed(r uintptr) bool { return r > ^uintptr(4095) }

// Interrupt returns a descriptor that becomes readable, 8 bytes at a time, when
// device n of Devices interrupts; it must be one on BusMMIO. Made into an os.File it
// parks goroutines, not threads. It fires when the device's pin rises: who hears it must
// have the device lower it, or will hear no more.
func Interrupt(n int) (fd uintptr, ok bool) {
	r := metalCall(callInterrupt, uintptr(n), 0, 0, 0)
	return r, !failed(r)
}

// Button returns a descriptor like that of Interrupt for the power button; ok is
// false if there is none.
func Button() (fd uintptr, ok bool) {
	r := metalCall(callInterrupt, buttonNumber, 0, 0, 0)
	return r, !failed(r)
}

// Message returns a descriptor like that of Interrupt for a message: a device that
// writes data to address sends it.
func Message() (fd uintptr, address uint64, data uint32, ok bool) {
	r := metalCall(callMessage, 0, 0, 0, 0)
	if failed(r) {
		return 0, 0, 0, false
	}
	return r & 0xffff, 0xfee00000 | uint64(r>>32)<<12, uint32(r >> 16 & 0xffff), true
}

// DMA returns n bytes of memory, zeroed and contiguous, that a device may reach:
// where they are for the device, and for the program. They are never freed; nil
// where there are none.
func DMA(n int) (mem []byte, phys uintptr) {
	if n <= 0 || n > maxDMA {
		return nil, 0
	}
	phys = metalCall(callDMA, (uintptr(n)+pageSize-1)/pageSize, 0, 0, 0)
	if failed(phys) {
		return nil, 0
	}
	return unsafe.Slice(p8(direct+phys), n), phys
}

// Load8, Load16 and Load32 read a register at an address in a Window.
func Load8(a uintptr) uint8   { return load8(a) }
func Load16(a uintptr) uint16 { return load16(a) }
func Load32(a uintptr) uint32 { return load32(a) }

// Store8, Store16 and Store32 write one.
func Store8(a uintptr, v uint8)   { store8(a, v) }
func Store16(a uintptr, v uint16) { store16(a, v) }
func Store32(a uintptr, v uint32) { store32(a, v) }
