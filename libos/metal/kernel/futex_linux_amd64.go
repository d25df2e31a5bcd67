package kernel

// Futexes: how the runtime's threads wait for each other.

const (
	futexWait    = 0
	futexWake    = 1
	futexCommand = 0x7f // without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME
)

// sysFutex serves FUTEX_WAIT and FUTEX_WAKE.
func sysFutex(t *thread, word uintptr, op, value uint32, timeout uintptr) uintptr {
	switch op & futexCommand {
	case futexWait:
		return futexSleep(t, word, value, timeout)
	case futexWake:
		return futexRouse(word, value)
	}
	return enosys
}

func futexSleep(t *thread, word uintptr, value uint32, timeout uintptr) uintptr {
	if *p32(word) != value {
		return eagain
	}
	var wake int64
	if timeout != 0 {
		wake = nanotime() + timespec(timeout) + 1
	}
	t.futex = word
	block(t, waitsFutex, wake)
	return 0
}

func futexRouse(word uintptr, most uint32) (woken uintptr) {
	for i := 0; i < threadCount && uint32(woken) < most; i++ {
		t := threadAt(threads[i])
		if t.state == waits && t.why == waitsFutex && t.futex == word {
			ready(t, 0)
			woken++
		}
	}
	return woken
}
