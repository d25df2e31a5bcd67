// Package sealed locks a process in with what it has been given: Attached says
// what that is, Calls what system calls follow from it, and Seal does it.
//
//	tap, err := unix.OpenTAP("tap0", nil)
//	…
//	err = sealed.Seal(sealed.Attached{
//		Consoles: []sealed.Descriptor{{Name: "standard output", FD: 1}, {Name: "standard error", FD: 2}},
//		Links:    []sealed.Descriptor{tap},
//	})
//	// From here on there is no open, no socket and no exec.
package sealed
