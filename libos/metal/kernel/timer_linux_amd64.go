package kernel

// The timer of the local APIC interrupts once, at a time that is set. It counts
// by itself, or waits for the TSC to reach a value where the processor can do that.

const (
	msrDeadline      = 0x6e0
	timerDeadline    = 1 << 18 // mode, in apicLVTTimer
	timerMeasureTime = 500_000 // ns, at least, to measure the timer
)

var timer struct {
	at       uint64 // what it is set for; 0 = off
	deadline bool   // it goes by the TSC
	perNS    uint64 // ticks of the TSC per nanosecond, << clockShift
	perTSC   uint64 // ticks of the timer per tick of the TSC, << clockShift

	measureTSC   uint64 // where its measurement began
	measureCount uint32
}

// timerSet makes the timer interrupt at time at (by nanotime); 0 turns it off. A time that
// has passed interrupts at once.
func timerSet(at int64) {
	timer.at = uint64(at)
	timerArm()
}

// timerArm sets the timer for what comes first: timer.at, or the clock's next comparison.
func timerArm() {
	at := timer.at
	if at == 0 || compareAt != 0 && compareAt < at {
		at = compareAt
	}
	tsc := rdtsc()
	now := clockPage.mono.at(tsc)
	ticks := mulShift(max(at, now)-now, timer.perNS)
	switch {
	case timer.deadline && at == 0:
		wrmsr(msrDeadline, 0)
	case timer.deadline:
		wrmsr(msrDeadline, tsc+ticks)
	case at == 0:
		apicWrite(apicTimerStart, 0)
	default:
		apicWrite(apicTimerStart, uint32(min(mulShift(ticks, timer.perTSC)+1, 1<<32-1)))
	}
}

// clockTick serves the timer's interrupt. The scheduler sees to what timerSet was
// called for; if that is not yet due, because the timer could not count as far
// or it was the clock's turn, the timer is set again.
func clockTick() {
	clockCompare()
	if timer.at == 0 || uint64(nanotime()) < timer.at {
		timerArm()
	}
}

// timerMeasureBegin starts the timer, to see how fast it counts.
func timerMeasureBegin() {
	apicWrite(apicTimerStart, ^uint32(0))
	timer.measureCount = apicRead(apicTimerCount)
	timer.measureTSC = rdtsc()
}

// timerInit makes the timer ready, given the frequency of the TSC.
func timerInit(hz uint64) {
	timerFrequency(hz)
	const deadline = 1 << 24
	if _, _, c, _ := cpuid(1, 0); c&deadline != 0 {
		timer.deadline = true
		apicWrite(apicTimerStart, 0)
		apicWrite(apicLVTTimer, vectorTimer|timerDeadline)
		fence()
		return
	}
	count, tsc := timer.measureCount, timer.measureTSC
	for tsc-timer.measureTSC < mulShift(timerMeasureTime, timer.perNS) {
		count, tsc = apicRead(apicTimerCount), rdtsc()
	}
	apicWrite(apicTimerStart, 0)
	timer.perTSC = mulDiv(uint64(timer.measureCount-count), 1<<clockShift, tsc-timer.measureTSC)
	if timer.perTSC == 0 {
		kdie("the timer of the local APIC does not count")
	}
}

// timerFrequency says how fast the TSC counts.
func timerFrequency(hz uint64) { timer.perNS = mulDiv(hz, 1<<clockShift, nsPerSecond) }

// fence orders writes to the local APIC before those to model-specific registers.
func fence()
