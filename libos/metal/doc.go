// Package metal is a virtual machine without an operating system as a world for
// services: it makes the devices that package kernel found into those of package
// libos. Elsewhere Running is false and nothing else may be called.
//
//	if metal.Running() {
//		m, err := metal.Open()
//		…                       // m.Networks[0] is a libos.Link, m.Disks[0] a libos.Block
//		arguments := metal.CommandLine()
//	}
package metal
