package sealed

import "strings"

// A Rule allows one system call, some of whose arguments are limited. Several rules
// for one call are alternatives.
type Rule struct {
	Call   string // as its manual page is called: "mmap"
	limits []limit
}

// A limit is what holds of one argument.
type limit struct {
	arg  int    // the first is 0
	name string // as the manual page has it
	wide bool   // a long, of which all 64 bits count; else an int, of which the kernel sees 32

	oneOf []value // it is one of these; or, where there are none,
	with  []value // these bits are set,
	may   []value // these may be, and no other
}

// A value is one that people know by a name.
type value struct {
	name string
	bits uint32
}

// String writes a rule as the call with the limits of its arguments:
//
//	madvise(advice: MADV_DONTNEED or MADV_FREE)
func (r Rule) String() string {
	if len(r.limits) == 0 {
		return r.Call
	}
	var b strings.Builder
	b.WriteString(r.Call)
	for i, l := range r.limits {
		b.WriteString([]string{"(", "; "}[min(i, 1)])
		b.WriteString(l.name + ": " + l.text())
	}
	b.WriteByte(')')
	return b.String()
}

func (l limit) text() string {
	if len(l.oneOf) > 0 {
		return list(l.oneOf, ", ", " or ")
	}
	may := "at most " + list(l.may, "|", "|")
	if len(l.with) == 0 {
		return may
	}
	return list(l.with, "|", "|") + " and " + may
}

// list writes names with something between them, and before the last.
func list(values []value, between, last string) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i > 0 && i == len(values)-1:
			b.WriteString(last)
		case i > 0:
			b.WriteString(between)
		}
		b.WriteString(v.name)
	}
	return b.String()
}

// bits are those of all values.
func bits(values []value) (all uint32) {
	for _, v := range values {
		all |= v.bits
	}
	return all
}
