package kernel

// The clock of the machine: nanoseconds since the program's first instruction,
// and the time of day.

// clockPage is read by the program too, without a trap (vdso_linux_amd64.s): seq is odd
// while it is being changed.
var clockPage struct {
	seq  uint64
	mono clock
	wall int64 // nanoseconds from 1970 to the start of mono
}

var (
	entryTSC uint64 // at the program's first instruction
	tscHz    uint64
	lapicHz  uint64 // of the local APIC's timer, after its divider
)

// nanotime is the time since the program's first instruction; 0 before clockInit.
func nanotime() int64 { return int64(clockPage.mono.at(rdtsc())) }

// wallNow is the time of day, in nanoseconds since 1970.
func wallNow() int64 { return clockPage.wall + nanotime() }

// clockInit starts the clocks and the local APIC with its timer.
func clockInit() {
	apicInit()
	calibrate()
	clockPage.mono = clock{tsc: entryTSC, mul: mulFor(tscHz)}
	wallInit()
}
