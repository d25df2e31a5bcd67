package kernel

import "unsafe"

// What a program finds on its stack when it begins: arguments, environment and
// the auxiliary vector, as Linux lays them out.
//
// The arguments are the words of the VMM's command line; "double quotes" keep
// blanks, and nothing else, together. A word NAME=VALUE with NAME in capitals goes
// into the environment instead (GODEBUG, GOTRACEBACK), and what VMMs and people
// out of habit put there for Linux goes nowhere.

const (
	firstStackEnd  = 0x8000200000 // in the page tables of what mmap gives out
	firstStackSize = 256 << 10

	maxWords = 256
)

// The words that go to the stack.
var (
	list   [2*maxWords + 32]uint64
	listed int
)

// argumentsInit makes the first thread's stack and returns where it begins.
func argumentsInit() uintptr {
	vmaAdd(firstStackEnd-firstStackSize, firstStackEnd, 3)
	if problem := split(); problem != "" {
		kdie(problem)
	}
	sp := uintptr(firstStackEnd)

	put(0) // how many arguments, below
	put(pushString(&sp, "cairn"))
	putWords(false)
	list[0] = uint64(listed - 1)
	put(0)

	putWords(true)
	put(pushString(&sp, "HOME=/"))
	put(pushLimit(&sp))
	put(0)

	sp = sp&^15 - 16
	sysGetrandom(sp, 16)
	putAux(6, pageSize)    // AT_PAGESZ
	putAux(25, sp)         // AT_RANDOM
	putAux(33, vdsoBase()) // AT_SYSINFO_EHDR
	putAux(0, 0)           // AT_NULL

	sp = (sp - uintptr(listed)*8) &^ 15
	copymem(sp, uintptr(unsafe.Pointer(&list)), uintptr(listed)*8)
	return sp
}

func put(v uintptr) {
	list[listed] = uint64(v)
	listed++
}

func putAux(key, v uintptr) {
	if v != 0 || key == 0 {
		put(key)
		put(v)
	}
}

// pushString puts s and a zero below sp.
func pushString(sp *uintptr, s string) uintptr {
	*sp -= uintptr(len(s)) + 1
	putString(*sp, s)
	*p8(*sp + uintptr(len(s))) = 0
	return *sp
}

// putString writes s at a.
func putString(a uintptr, s string) {
	copymem(a, uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(len(s)))
}

// pushLimit pushes GOMEMLIMIT: the memory that is there.
func pushLimit(sp *uintptr) uintptr {
	v := memoryFree()
	*sp--
	*p8(*sp) = 0
	for ; v != 0; v /= 10 {
		*sp--
		*p8(*sp) = byte('0' + v%10)
	}
	const name = "GOMEMLIMIT="
	*sp -= uintptr(len(name))
	putString(*sp, name)
	return *sp
}

// words are the beginnings of the command line's words, in place.
var (
	words     [maxWords]uintptr
	wordCount int
)

// split cuts the command line into words: it takes quotes out and ends each word
// with a zero. It returns what is wrong with the line, if something is.
func split() (problem string) {
	line := uintptr(unsafe.Pointer(&commandWords))
	copymem(line, uintptr(unsafe.Pointer(&commandLine)), uintptr(commandLineLen))
	to, quoted, inWord := line, false, false
	for i := range uintptr(commandLineLen) {
		c := *p8(line + i)
		if !quoted && (c == ' ' || c == '\t' || c == '\n') {
			if inWord {
				*p8(to) = 0
				to++
			}
			inWord = false
			continue
		}
		if !inWord {
			if wordCount == maxWords {
				return "the command line has more than 256 words"
			}
			words[wordCount] = to
			wordCount++
			inWord = true
		}
		if c == '"' {
			quoted = !quoted
		} else {
			*p8(to) = c
			to++
		}
	}
	*p8(to) = 0
	if quoted {
		return "the command line ends inside double quotes"
	}
	return ""
}

// commandWords is the command line once more, with a zero after each word.
var commandWords [len(commandLine) + 8]byte

// putWords puts the words that are environment, or those that are arguments.
func putWords(environment bool) {
	for i := range wordCount {
		if w := words[i]; !ignored(w) && isEnvironment(w) == environment {
			put(w)
		}
	}
}

func isEnvironment(w uintptr) bool {
	for i := uintptr(0); ; i++ {
		switch c := *p8(w + i); {
		case c == '=':
			return i > 0
		case c != '_' && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9'):
			return false
		}
	}
}

// ignored tells whether w is for Linux, or for the kernel's search for devices.
func ignored(w uintptr) bool {
	switch {
	case begins(w, "virtio_mmio.device="), begins(w, "console="), begins(w, "earlyprintk"), begins(w, "root="),
		begins(w, "rootfstype="), begins(w, "init="), begins(w, "reboot="), begins(w, "panic="), begins(w, "pci="),
		begins(w, "i8042."), begins(w, "8250."), begins(w, "nomodule"), begins(w, "acpi="), begins(w, "tsc="):
		return true
	}
	return is(w, "ro") || is(w, "rw") || is(w, "quiet")
}

// begins tells whether the word at w begins with s.
func begins(w uintptr, s string) bool {
	for i := range len(s) {
		if *p8(w + uintptr(i)) != s[i] {
			return false
		}
	}
	return true
}

// is tells whether it is s.
func is(w uintptr, s string) bool { return begins(w, s) && *p8(w + uintptr(len(s))) == 0 }
