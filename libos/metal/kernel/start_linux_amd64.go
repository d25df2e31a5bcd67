package kernel

// isRunning is set once the kernel has begun: there is no other below.
var isRunning bool

func noteAddress() uintptr

// linked is there so that the linker keeps the way that leads into the kernel.
var linked = noteAddress()

// Running tells whether this program is its own operating system.
func Running() bool { return isRunning }

// start is the kernel's first Go code. When it returns, the program's first
// thread begins.
func start(info uintptr) {
	entryTSC = rdtsc()
	isRunning = true
	kernelSP = stackPage(kernelStackEnd) - 16
	consoleInit()
	fpInit()
	memoryInit(info)
	tablesInit()
	discover()
	clockInit()
	entropyInit()
	descriptorsInit()
	firstThreads()
}

// firstThreads makes the thread that idles and the one that begins the program
// where Linux would: at the entry point of the file.
func firstThreads() {
	_, _, idleAt, _, tls, _ := addresses()
	const tlsOffset = 64 // as in boot64

	idleThread = threadNew()
	idle := threadAt(idleThread)
	idle.begin(idleAt, 0)
	idle.fs = uint64(tls + tlsOffset)
	threadCount = 0 // not one of those that take turns

	first := threadNew()
	t := threadAt(first)
	t.begin(entryPoint(), argumentsInit())
	t.fs = uint64(tls + tlsOffset)
	t.state = running
	current = first
	turnEnd = nanotime() + slice
}

// entryPoint is what the file's header, which is mapped with it, says.
func entryPoint() uintptr { return uintptr(*p64(imageBase + 24)) }

// inText tells whether a may be a return address.
func inText(a uintptr) bool { return a >= imageBase && a < imageEnd }
