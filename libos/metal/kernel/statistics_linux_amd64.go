package kernel

// Statistics counts what the kernel did since the start.
type Statistics struct {
	Switches   uint64 // of threads
	Signals    uint64 // handlers begun
	Interrupts uint64 // the timer's and devices'
	Faults     uint64 // pages brought in
	Began      uint64 // the first thread, in nanoseconds since the first instruction
}

var statistics Statistics

// ReadStatistics returns the counts so far; they are zeros unless Running.
func ReadStatistics() Statistics {
	s := statistics
	s.Faults = faults
	return s
}

// Calls returns how often each system call was made so far, by name.
func Calls() map[string]uint32 {
	made := map[string]uint32{}
	for n, times := range calls {
		if times != 0 {
			made[callName(uint64(n))] = times
		}
	}
	return made
}
