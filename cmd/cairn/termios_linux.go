package main

import "golang.org/x/sys/unix"

// How a terminal's settings are asked for and set.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
