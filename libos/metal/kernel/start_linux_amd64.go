package kernel

// isRunning is set once the kernel has begun: there is no other below.
var isRunning bool

// linked is there so that the linker keeps the way that leads into the kernel.
//
//lint:ignore U1000 that is all.
var linked = addressOfNote()

// Running tells whether this program is its own operating system.
func Running() bool { return isRunning }

// tlsOffset is where FS points in the kernel's thread-local storage; also in boot64.
const tlsOffset = 64

// start is the kernel's first Go code. When it returns, the program's first
// thread begins.
//
//lint:ignore U1000 boot_linux_amd64.s calls it.
func start(info uintptr) {
	isRunning = true
	consoleInit()
	tablesInit() // from here on a fault has a message
	fpInit()
	memoryInit(info)
	checkRuntime()
	discover()
	memoryReclaim()
	clockInit()
	entropyInit()
	descriptorsInit()
	firstThreads()
}

// firstThreads makes the thread that idles and the one that begins the program
// where Linux would: at the entry point of the file.
func firstThreads() {
	idleThread = threadNew()
	idle := threadAt(idleThread)
	idle.begin(addressOfIdle(), 0)
	idle.fs = uint64(addressOfTLS() + tlsOffset)
	threadCount = 0 // it is not one of those that take turns

	first := threadNew()
	t := threadAt(first)
	t.begin(entryPoint(), argumentsInit())
	t.fs = idle.fs
	t.state = running
	current = first
	turnEnd = nanotime() + slice
	statistics.Began = uint64(nanotime())
}
