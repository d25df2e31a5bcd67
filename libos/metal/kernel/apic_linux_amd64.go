package kernel

// The local APIC: where interrupts arrive, and the timer.

// Registers, as offsets from lapicPhys.
const (
	apicID           = 0x20
	apicTaskPriority = 0x80
	apicEOI          = 0xb0
	apicSpurious     = 0xf0
	apicLVTTimer     = 0x320
	apicLVTPin0      = 0x350
	apicLVTPin1      = 0x360
	apicTimerStart   = 0x380
	apicTimerCount   = 0x390
	apicTimerDivide  = 0x3e0

	apicEnable   = 1 << 8 // in apicSpurious
	apicMasked   = 1 << 16
	apicDivide16 = 3
)

const (
	msrAPICBase = 0x1b
	apicBaseX2  = 1 << 10
	apicBaseOn  = 1 << 11
	picMaster   = 0x21
	picSlave    = 0xa1
	picMaskAll  = 0xff
)

func apicRead(reg uintptr) uint32     { return *p32(direct + lapicPhys + reg) }
func apicWrite(reg uintptr, v uint32) { *p32(direct + lapicPhys + reg) = v }

// apicInit silences the old interrupt controllers and enables the local APIC,
// with its registers in memory (a firmware that chose x2APIC is overruled).
func apicInit() {
	outb(picMaster, picMaskAll)
	outb(picSlave, picMaskAll)
	base := rdmsr(msrAPICBase)
	if base&apicBaseX2 != 0 {
		wrmsr(msrAPICBase, base&^(apicBaseX2|apicBaseOn))
	}
	wrmsr(msrAPICBase, base&^apicBaseX2|apicBaseOn)
	mapDevice(lapicPhys, pageSize)
	apicWrite(apicSpurious, apicEnable|vectorSpurious)
	apicWrite(apicTaskPriority, 0)
	apicWrite(apicLVTPin0, apicMasked)
	apicWrite(apicLVTPin1, apicMasked)
	apicWrite(apicTimerDivide, apicDivide16)
	apicWrite(apicLVTTimer, vectorTimer)
}

// eoi tells the local APIC that the interrupt is served.
func eoi() { apicWrite(apicEOI, 0) }
