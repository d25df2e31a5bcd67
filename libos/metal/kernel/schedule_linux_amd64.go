package kernel

// Which thread runs. A thread gives way when it waits, when it yields, when
// something it did not do itself (an interrupt, a deadline) woke another, and
// at the end of its time slice. Threads take turns.

// slice is how long a thread runs while others could.
const slice = 10_000_000 // ns

var (
	reschedule bool  // something changed: schedule has to look
	yield      bool  // the running thread has to give way
	turnEnd    int64 // end of the running thread's slice
	turn       int   // index of the thread that runs or ran last
	armed      int64 // for when the timer is set, 0 = off
)

// block makes t wait until ready, or until the time wake.
func block(t *thread, why waiting, wake int64) {
	t.state = waits
	t.why = why
	t.wake = wake
	reschedule = true
}

// ready ends the wait of t; ret is what its system call returns.
func ready(t *thread, ret uintptr) {
	t.state = runnable
	t.rax = uint64(ret)
	t.why, t.wake, t.futex = 0, 0, 0
	reschedule = true
}

// schedule chooses what resume goes on with.
func schedule() {
	if reschedule {
		reschedule = false
		choose()
	}
	if t := threadAt(current); t.pending&^t.blocked != 0 {
		deliver(t)
	}
}

func choose() {
	now := nanotime()
	next := expire(now)
	if now >= turnEnd {
		yield = true
	}
	c := threadAt(current)
	if c.state != running || yield || current == idleThread {
		yield = false
		switchTo(now)
	}
	setTimer(next)
}

// switchTo makes the next thread that can run the current one; the one that
// runs, if it still can, comes last.
func switchTo(now int64) {
	if c := threadAt(current); c.state == running {
		c.state = runnable
	}
	turnEnd = now + slice
	for i := 1; i <= threadCount; i++ {
		n := (turn + i) % threadCount
		if threadAt(threads[n]).state == runnable {
			turn = n
			run(threads[n])
			return
		}
	}
	run(idleThread)
}

func run(a uintptr) {
	t := threadAt(a)
	t.state = running
	if a == current {
		return
	}
	current = a
	statistics.Switches++
	setFS(t.fs)
}

// setTimer sets the timer for the next deadline, or the end of the slice if
// somebody waits for that. A timer that is set for earlier stays: setting it costs more
// than an interrupt in vain, once.
func setTimer(next int64) {
	if current != idleThread && othersRunnable() && (next == 0 || turnEnd < next) {
		next = turnEnd
	}
	if next != 0 && (armed == 0 || next < armed) {
		armed = next
		timerSet(next)
	}
}

func othersRunnable() bool {
	for i := 0; i < threadCount; i++ {
		if threadAt(threads[i]).state == runnable {
			return true
		}
	}
	return false
}

// expire readies the threads whose time has come and returns the next such
// time, 0 if there is none.
func expire(now int64) (next int64) {
	for i := 0; i < threadCount; i++ {
		t := threadAt(threads[i])
		if t.state != waits || t.wake == 0 {
			continue
		}
		if t.wake > now {
			if next == 0 || t.wake < next {
				next = t.wake
			}
			continue
		}
		yield = true
		if t.why == waitsFutex {
			ready(t, etimedout)
		} else {
			ready(t, 0)
		}
	}
	return next
}

// sysYield is sched_yield.
func sysYield() uintptr {
	yield, reschedule = true, true
	return 0
}

// sysSleep is nanosleep. A signal ends it with EINTR; how much was left is not told.
func sysSleep(c *thread, request uintptr) uintptr {
	c.rax = 0
	block(c, waitsSleep, nanotime()+timespec(request)+1)
	return 0
}

// timespec reads a time in seconds and nanoseconds, limited to 292 years.
func timespec(a uintptr) int64 {
	s, ns := int64(*p64(a)), int64(*p64(a + 8))
	if s > 9_000_000_000 {
		s = 9_000_000_000
	}
	return s*1_000_000_000 + ns
}
