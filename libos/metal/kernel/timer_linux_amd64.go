package kernel

var timerAt int64 // what the timer is set for; 0 = off

// timerSet makes the timer interrupt at time at (by nanotime), or sooner if the
// timer cannot count as far; 0 turns it off. A time that has passed interrupts at once.
func timerSet(at int64) {
	timerAt = at
	if at == 0 {
		apicWrite(apicTimerStart, 0)
		return
	}
	apicWrite(apicTimerStart, timerTicks(at-nanotime(), lapicHz))
}

// timerTicks is how many ticks of a timer of hz make ns nanoseconds, rounded up;
// at least 1, at most what its counter holds.
func timerTicks(ns int64, hz uint64) uint32 {
	if ns <= 0 {
		return 1
	}
	ticks := mulDiv(uint64(ns), hz, nsPerSecond) + 1
	return uint32(min(ticks, 1<<32-1))
}

// clockTick serves the timer's interrupt.
func clockTick() {
	if timerAt != 0 && nanotime() < timerAt {
		timerSet(timerAt) // the timer could not count as far
	}
}
