// Package kernel lets a Go program run on a machine that has no operating
// system: it serves the system calls that the Go runtime makes.
package kernel
