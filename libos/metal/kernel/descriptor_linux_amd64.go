package kernel

// Descriptors: the console at 0, 1 and 2, and what the runtime's poller needs:
// event counters (eventfd, and the interrupts of devices) and epoll.

type descriptorKind uint32

const (
	unused descriptorKind = iota
	console
	counter    // eventfd
	interrupts // a counter that a device raises
	poller     // epoll
)

// descriptor can be watched by one poller, which is all the runtime asks for.
type descriptor struct {
	kind    descriptorKind
	source  uint32 // of interrupts
	count   uint64
	watcher int32  // descriptor of the poller, -1 = none
	wanted  uint32 // events
	changed bool   // since the watcher was told, for edge-triggered watching
	tag     uint64 // the watcher's own name for it
}

// maxDescriptors bounds them: one for each interrupt of each device, and few more.
const maxDescriptors = 64

var (
	descriptors     [maxDescriptors]descriptor
	descriptorsUsed int // none from here on was ever used
)

func descriptorsInit() {
	for fd := range 3 {
		descriptors[fd] = descriptor{kind: console, watcher: -1}
	}
	descriptorsUsed = 3
}

func kindOf(fd int32) descriptorKind {
	if fd < 0 || fd >= maxDescriptors {
		return unused
	}
	return descriptors[fd].kind
}

// fdNew returns a descriptor, or EMFILE.
func fdNew(kind descriptorKind, count uint64) uintptr {
	for fd := range descriptors {
		if descriptors[fd].kind == unused {
			descriptors[fd] = descriptor{kind: kind, count: count, watcher: -1}
			descriptorsUsed = max(descriptorsUsed, fd+1)
			return uintptr(fd)
		}
	}
	return emfile
}

// fdNewInterrupt returns a descriptor that fdInterrupt raises.
func fdNewInterrupt(source uint32) uintptr {
	fd := fdNew(interrupts, 0)
	if !failed(fd) {
		descriptors[fd].source = source
	}
	return fd
}

// fdInterrupt raises a counter and wakes who waits for it.
func fdInterrupt(fd int32) {
	if fd >= 0 && fd < maxDescriptors {
		descriptors[fd].count++
		fdSignal(fd)
	}
}

func sysClose(fd int32) uintptr {
	kind := kindOf(fd)
	if kind == unused {
		return ebadf
	}
	if kind == interrupts {
		interruptClose(descriptors[fd].source)
	}
	if kind == poller {
		for i := range descriptors {
			if descriptors[i].watcher == fd {
				descriptors[i].watcher = -1
			}
		}
	}
	descriptors[fd] = descriptor{}
	return 0
}

// sysRead reads a counter, which is then 0. The console has nothing to say: end of file.
func sysRead(fd int32, p, n uintptr) uintptr {
	switch kindOf(fd) {
	case console:
		return 0
	case counter, interrupts:
		return readCounter(&descriptors[fd], p, n)
	case poller:
		return einval
	}
	return ebadf
}

func readCounter(d *descriptor, p, n uintptr) uintptr {
	if n < 8 {
		return einval
	}
	if d.count == 0 {
		return eagain
	}
	*p64(p) = d.count
	d.count = 0
	return 8
}

// sysWrite writes to the console, or adds to a counter.
func sysWrite(fd int32, p, n uintptr) uintptr {
	switch kindOf(fd) {
	case console:
		consoleWrite(p, n)
		return n
	case counter:
		if n < 8 {
			return einval
		}
		descriptors[fd].count += *p64(p)
		fdSignal(fd)
		return 8
	case interrupts, poller:
		return einval
	}
	return ebadf
}

// sysFcntl answers what os.NewFile asks: a counter does not block.
func sysFcntl(fd int32, op uintptr) uintptr {
	const getFD, setFD, getFlags, setFlags, readWrite, nonblocking = 1, 2, 3, 4, 2, 0x800
	kind := kindOf(fd)
	if kind == unused {
		return ebadf
	}
	switch op {
	case getFD, setFD, setFlags:
		return 0
	case getFlags:
		if kind == console {
			return readWrite
		}
		return readWrite | nonblocking
	}
	return einval
}
