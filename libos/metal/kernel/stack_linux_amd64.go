package kernel

// The stacks that are not threads': each with a page below it that is not
// mapped, so that a stack that overflows faults at once.

// stackPages lists them from the bottom of stackArea, in pages, guard first.
// boot64 knows where the first ends.
const (
	kernelStack    = 4 // kernel code on behalf of threads
	faultStack     = 4 // exceptions: their frame; and a demand fault inside the kernel
	fatalStack     = 4 // NMI, double fault, machine check
	interruptStack = 1 // interrupts: their frame only

	kernelStackEnd    = 1 + kernelStack
	faultStackEnd     = kernelStackEnd + 1 + faultStack
	fatalStackEnd     = faultStackEnd + 1 + fatalStack
	interruptStackEnd = fatalStackEnd + 1 + interruptStack
)

const guards = 4

// guard is the i-th page, of guards, that must not be mapped.
func guard(i int) uintptr {
	switch i {
	case 0:
		return stackPage(0)
	case 1:
		return stackPage(kernelStackEnd)
	case 2:
		return stackPage(faultStackEnd)
	default:
		return stackPage(fatalStackEnd)
	}
}

// stackPage is the address of page i of the area.
func stackPage(i uintptr) uintptr {
	return (addressOfStacks()+pageSize-1)&^(pageSize-1) + i*pageSize
}

// overflowed names the stack whose guard page a lies on, "" if none.
func overflowed(a uintptr) string {
	switch a &^ (pageSize - 1) {
	case guard(0):
		return "kernel stack overflow"
	case guard(1):
		return "fault stack overflow"
	case guard(2):
		return "last stack overflow"
	case guard(3):
		return "interrupt stack overflow"
	}
	return ""
}
