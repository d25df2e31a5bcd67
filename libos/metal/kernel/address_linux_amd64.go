package kernel

// Addresses of what only assembly and the linker have a name for.

func addressOfNote() uintptr    // Xen's note, see boot_linux_amd64.s
func addressOfVectors() uintptr // the table of vectors
func addressOfSyscall() uintptr // where SYSCALL leads
func addressOfIdle() uintptr    // the code of the idle thread
func addressOfStacks() uintptr  // the stacks' area, see stack_linux_amd64.go
func addressOfTLS() uintptr     // the kernel's thread-local storage
func addressOfG() uintptr       // the kernel's g
func addressOfNames() uintptr   // the table of functions, see names_linux_amd64.go
func addressOfText() uintptr    // the program's code
func addressOfTextEnd() uintptr
