package kernel

// The second console: a virtio console (virtio 1.2, 5.3), where there is one. Monitors
// that offer it may offer a serial port that leads nowhere, so both are told
// everything. It takes lines; what is said before devices are known waits.

const (
	kindConsole   = 3
	queuesConsole = 2 // of the first port: what it receives, which is nothing, and what it transmits
)

var spare struct {
	polled
	ready, open bool
	n           uint32
	text        [1024]byte
}

// spareInit finds the console. Whatever has been said so far goes to it.
func spareInit() {
	spare.ready = true
	for i := 0; i < deviceCount && !spare.open; i++ {
		spare.open = devices[i].Kind == kindConsole && spare.polled.open(&devices[i], queuesConsole)
	}
	spareFlush()
}

// spareByte writes one byte.
func spareByte(c byte) {
	if spare.ready && !spare.open {
		return
	}
	if spare.n == uint32(len(spare.text)) {
		spareFlush()
	}
	if spare.n < uint32(len(spare.text)) {
		spare.text[spare.n] = c
		spare.n++
	}
	if c == '\n' {
		spareFlush()
	}
}

// spareFlush hands over what has been written. A console that does not take it within
// some seconds is given up.
func spareFlush() {
	if !spare.open || spare.n == 0 {
		return
	}
	buffer := direct + spare.buffer
	for i := range spare.n {
		*p8(buffer + uintptr(i)) = spare.text[i]
	}
	n := spare.n
	spare.n = 0
	if _, ok := spare.give(n, 0); !ok {
		spare.open = false
	}
}
