package kernel

// The clock of the machine: nanoseconds since the program's first instruction,
// and the time of day.

// clockPage is read by the program too, without a trap (vdso_linux_amd64.s knows
// the order): seq counts how often it has been changed.
var clockPage struct {
	seq  uint64
	mono clock
	wall int64 // nanoseconds from 1970 to the start of mono
}

var (
	entryTSC  uint64 // at the program's first instruction
	tscRate   rate
	compareAt uint64 // when the clock is compared with its reference next; 0 = never
)

// nanotime is the time since the program's first instruction; 0 before clockInit.
func nanotime() int64 { return int64(clockPage.mono.at(rdtsc())) }

// wallNow is the time of day, in nanoseconds since 1970.
func wallNow() int64 { return clockPage.wall + nanotime() }

// clockInit starts the clocks and the local APIC with its timer. The frequency of
// the TSC comes from KVM, else from CPUID, else from the PIT.
func clockInit() {
	apicInit()
	timerMeasureBegin()
	kvmInit()
	var hz uint64
	if kvm.present {
		hz = sane(kvmTime().hz())
	}
	if hz == 0 {
		hz = cpuidHz()
	}
	if hz == 0 {
		hz = pitHertz()
	}
	if hz == 0 {
		kdie("nothing tells the time: neither kvmclock, nor CPUID, nor a PIT that counts")
	}
	clockPage.mono = clock{tsc: entryTSC, mul: mulFor(hz)}
	if ref, tsc, ok := clockReference(hz); ok {
		tscRate.start(hz, tsc, ref, clockPage.mono.at(tsc))
		compareAt = uint64(nanotime()) + tscRate.interval
	} else {
		tscRate.hz = hz
	}
	timerInit(hz)
	wallInit()
	vdsoInit()
}

// clockCompare compares the clock with its reference, when it is time to.
func clockCompare() {
	if compareAt == 0 || uint64(nanotime()) < compareAt {
		return
	}
	ref, tsc, ok := clockReference(tscRate.hz)
	if !ok {
		compareAt = 0
		return
	}
	shown := clockPage.mono.at(tsc)
	clockPage.mono = clock{tsc: tsc, ns: shown, mul: tscRate.compare(tsc, ref, shown)}
	clockPage.seq++
	compareAt = shown + tscRate.interval
	timerFrequency(tscRate.hz)
}

// clockReference reads the better clock there is: ns, and the TSC it belongs to.
func clockReference(hz uint64) (ns, tsc uint64, ok bool) {
	if kvm.present {
		ns, tsc = kvmNow()
		return ns, tsc, true
	}
	return pitNow(hz)
}
