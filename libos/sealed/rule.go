package sealed

// A Rule allows a system call. Several rules of one call are alternatives.
type Rule struct {
	Call string // "mmap"
}

// String is the call with the limits of its arguments.
func (r Rule) String() string { return r.Call }

// Calls are the system calls that a process with all this attached may make. Any
// other ends it with SIGSYS.
func Calls(Attached) []Rule { return nil }
