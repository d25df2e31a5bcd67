package kernel

// The console is a 16550 at its usual port. A machine without one loses the
// messages and nothing else: waiting for the device is bounded.

const (
	uart          = 0x3f8
	uartInterrupt = uart + 1 // interrupt enable; with the divisor latch open, its high half
	uartFIFO      = uart + 2 // write: FIFO control; read: interrupt identification
	uartLine      = uart + 3 // line control
	uartModem     = uart + 4 // modem control
	uartStatus    = uart + 5 // line status
	uartScratch   = uart + 7

	uartEmptyFIFO = 0x20 // status: room for a whole FIFO
	uartIdle      = 0x40 // status: the last bit has left

	uartPolls = 100_000 // of the status, each at least 0.1 µs: more than one character at 9,600 baud
)

var (
	consolePresent bool
	consoleBatch   uint32 // characters that an empty FIFO takes
	consoleRoom    uint32 // characters that it takes before the next look at the status
	consoleStuck   bool   // the last wait was in vain: look only once from now on
)

// consoleInit finds the serial port and sets it to 115,200 baud, 8 bits, no parity, FIFO on.
func consoleInit() {
	outb(uartScratch, 0x5a)
	if inb(uartScratch) != 0x5a {
		return
	}
	consolePresent = true
	outb(uartInterrupt, 0)
	outb(uartLine, 0x80) // open the divisor latch
	outb(uart, 1)
	outb(uartInterrupt, 0)
	outb(uartLine, 3)
	outb(uartFIFO, 7)
	outb(uartModem, 3)
	consoleBatch = 1
	if inb(uartFIFO)&0xc0 == 0xc0 {
		consoleBatch = 16
	}
}

// kputc writes one byte. It waits a bounded time for room and then drops nothing:
// a device that never reports room is written to all the same.
func kputc(c byte) {
	spareByte(c)
	if !consolePresent {
		return
	}
	if consoleRoom == 0 {
		consoleWait(uartEmptyFIFO)
		consoleRoom = consoleBatch
	}
	consoleRoom--
	outb(uart, c)
}

func consoleWait(bit uint8) {
	polls := uartPolls
	if consoleStuck {
		polls = 1
	}
	for range polls {
		if inb(uartStatus)&bit != 0 {
			consoleStuck = false
			return
		}
	}
	consoleStuck = true
}

// consoleFlush waits, a bounded time, until all has left the device.
func consoleFlush() {
	spareFlush()
	if consolePresent {
		consoleWait(uartIdle)
	}
}

// kputs writes s; a line feed becomes carriage return and line feed.
func kputs(s string) {
	for i := 0; i < len(s); i++ {
		consoleByte(s[i])
	}
}

// consoleWrite writes n bytes at p like kputs.
func consoleWrite(p, n uintptr) {
	for i := uintptr(0); i < n; i++ {
		consoleByte(*p8(p + i))
	}
}

func consoleByte(c byte) {
	if c == '\n' {
		kputc('\r')
	}
	kputc(c)
}

// khex writes v as 0x and hexadecimal digits.
func khex(v uint64) {
	kputs("0x")
	shift := 60
	for shift > 0 && v>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		kputc("0123456789abcdef"[v>>shift&15])
	}
}

// kdec writes v in decimal.
func kdec(v uint64) {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		v /= 10
		if v == 0 {
			break
		}
	}
	for ; i < len(digits); i++ {
		kputc(digits[i])
	}
}
