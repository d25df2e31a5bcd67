package metal

import (
	"errors"

	"cairn/libos"
)

// A Machine is what is attached to this one.
type Machine struct {
	Networks []Network
	Disks    []Disk
	Unknown  []string // virtio devices that have no driver here, by kind and place
}

// A Network is a network card.
type Network struct {
	Name string // what and where it is, for people
	libos.Link
}

// A Disk is a block device.
type Disk struct {
	Name string // what and where it is, for people
	ID   string // what the machine calls it, at most 20 bytes; often empty
	libos.Block
}

// Open starts the devices that were found, once. Disks and cards come in the order
// in which the machine tells of them.
func Open() (*Machine, error) { return nil, errors.New("no machine of one's own") }

// Running reports whether this program is all that runs on the machine.
func Running() bool { return false }

// CommandLine is what the virtual machine monitor was told to hand over, at most
// 2047 bytes; other words that it adds by itself included.
func CommandLine() string { return "" }

// PowerButton returns a channel that is closed when somebody presses the machine's
// power button; nil where there is none.
func PowerButton() <-chan struct{} { return nil }
