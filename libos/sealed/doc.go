// Package sealed locks a process in with what it has been given: Attached says
// what that is, Calls which system calls follow from it, and Seal does it.
//
//	tap, err := unix.OpenTAP("tap0", nil)
//	…
//	err = sealed.Seal(sealed.Attached{
//		Consoles: []sealed.Descriptor{{Name: "standard output", FD: 1}, {Name: "standard error", FD: 2}},
//		Links:    []sealed.Descriptor{{Name: tap.Name(), FD: tap.FD()}},
//	})
//	// From here on there is no open, no socket and no exec.
//
// # What Seal does
//
// In this order, for every thread: it closes what was inherited, and refuses to go on
// with a descriptor that is open and not attached; has the standard library read now what
// it reads at first use; drops privileges: another user, no groups, no capabilities, none to
// get back, no looking in from outside; has Landlock leave it the folder and the declared
// TCP ports; and installs a filter of system calls, from which there is no way back.
//
// # The filter
//
// It is made of rules that follow from what is attached, each with limits of arguments:
// readv only from the network card, mmap only of memory that cannot be executed,
// clone only of threads. To go through them takes some 30 ns a call. What no rule allows
// ends the process with SIGSYS; the kernel's log says which call it was (dmesg: type=1326 …
// syscall=NUMBER). An error in its place would not do: Go's runtime does not survive
// some, and the program would go on in the hands of whoever made the call.
//
// So many kinds of calls are allowed to programs with:
//
//	nothing but the runtime and its consoles        23
//	a network card (TCP/IP in the process)          27
//	the same, and two disks                         30
//	the same, and a folder of the host's            43
//	the host's sockets, which nobody is dialled on  37
//	the host's sockets                              38
//	the host's sockets, and a folder                54
//
// Solo5's spt, which seals MirageOS, has 7: its programs have one thread, memory of a
// fixed size, and no signals. Of the 27, a website makes 22 from when it is sealed under
// load to its end (strace -f -c), and the runtime two more now and then: madvise, for memory
// that goes back, and exit, of a thread. Three are for other machines: clock_gettime where
// clocks are not read in user space, munmap where memory is not mapped where the runtime hoped,
// prctl where kernels know names for memory.
//
// # Caveats
//
// A sealed process keeps what it has read: certificates, time zones and limits of the
// machine's processors are those of its start. Services that look for time zones by name
// load all of them before.
//
// Landlock keeps files from being opened, made, named and removed outside the folder. It
// does not hide that they are there (stat), and knows no ports of UDP, and of TCP only from
// Linux 6.7 on. A folder needs Linux 5.19. Nor does it see a socket of TCP that listens without a
// bind before, on a free port that the kernel chooses: a process that listens at all can do
// that, and be reached there where no firewall is in between.
//
// Beside those of TCP and UDP, the host's sockets are those of netlink that tell the names of
// network interfaces: package net asks when somebody comes from a link-local address.
//
// Programs must be built without cgo.
package sealed
