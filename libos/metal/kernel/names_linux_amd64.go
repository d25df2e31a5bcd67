package kernel

// Names of functions for dumps, from the table that the runtime makes its
// tracebacks with, which is in stripped programs too. If a new version of Go has
// another table, there are no names.

// Fields of the table's header (type pcHeader of package runtime), since Go 1.20.
const (
	nameMagic = 0xfffffff1

	headerCount = 8     // of functions
	headerNames = 4 * 8 // offset of their names
	headerTable = 8 * 8 // offset of the table: pairs of 32 bits, where a function begins and where it is described
)

// inText tells whether a may be a return address.
func inText(a uintptr) bool { return a >= addressOfText() && a < addressOfTextEnd() }

// printName writes the name of the function that a lies in, if it is known.
func printName(a uintptr) {
	header := addressOfNames()
	if *p32(header) != nameMagic || !inText(a) {
		return
	}
	table := header + uintptr(*p64(header + headerTable))
	begins := func(i uintptr) uintptr { return addressOfText() + uintptr(*p32(table + i*8)) }
	low, high := uintptr(0), uintptr(*p64(header + headerCount))
	for high-low > 1 {
		if middle := (low + high) / 2; begins(middle) <= a {
			low = middle
		} else {
			high = middle
		}
	}
	described := table + uintptr(*p32(table + low*8 + 4))
	name := header + uintptr(*p64(header + headerNames)) + uintptr(*p32(described + 4))
	for ; *p8(name) != 0; name++ {
		kputc(*p8(name))
	}
}
