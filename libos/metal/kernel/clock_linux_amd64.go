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
	entryTSC       uint64 // at the program's first instruction
	tscRate        rate
	compareAt      uint64 // when the clock is compared with its reference next; 0 = never
	clockReference reference
)

// nanotime is the time since the program's first instruction; 0 before clockInit.
func nanotime() int64 { return int64(clockPage.mono.at(rdtsc())) }

// wallNow is the time of day, in nanoseconds since 1970.
func wallNow() int64 { return clockPage.wall + nanotime() }

// A clock that the machine's is compared with: it does not depend on the TSC.
type reference uint32

const (
	noReference reference = iota
	kvmReference
	pitReference
)

// clockInit starts the clocks and the local APIC with its timer. The frequency of
// the TSC comes from KVM, else from CPUID, else from the PIT.
func clockInit() {
	apicInit()
	timerMeasureBegin()
	var hz uint64
	if kvmInit() {
		clockReference = kvmReference
		hz = sane(kvmTime().hz())
	} else if pitCounts() {
		clockReference = pitReference
	}
	if hz == 0 {
		hz = cpuidHz()
	}
	if hz == 0 && clockReference == pitReference {
		hz = pitHertz()
	}
	if hz == 0 {
		kdie("nothing tells the time: neither kvmclock, nor CPUID, nor a PIT that counts")
	}
	clockPage.mono = clock{tsc: entryTSC, mul: mulFor(hz)}
	clockBegin(hz)
	timerInit(hz)
	wallInit()
	vdsoInit()
}

// clockBegin begins to compare the clock with its reference.
func clockBegin(hz uint64) {
	tscRate.hz = hz
	if clockReference == noReference {
		return
	}
	ref, tsc := clockRead()
	tscRate.start(hz, tsc, ref, clockPage.mono.at(tsc))
	compareAt = uint64(nanotime()) + tscRate.interval
}

// clockCompare goes on to compare, when it is time to.
func clockCompare() {
	if compareAt == 0 || uint64(nanotime()) < compareAt {
		return
	}
	ref, tsc := clockRead()
	shown := clockPage.mono.at(tsc)
	clockPage.mono = clock{tsc: tsc, ns: shown, mul: tscRate.compare(tsc, ref, shown)}
	wallFollow()
	clockPage.seq++
	compareAt = shown + tscRate.interval
	timerFrequency(tscRate.hz)
}

// clockRead reads the reference: nanoseconds, and the TSC that they belong to.
func clockRead() (ns, tsc uint64) {
	if clockReference == kvmReference {
		return kvmNow()
	}
	return pitNow(tscRate.hz)
}
