package metal

import (
	"errors"

	"cairn/libos"
	"cairn/libos/metal/kernel"
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

// Running reports whether this program is all that runs on the machine.
func Running() bool { return kernel.Running() }

// Open starts the devices that were found, once. Disks and cards come in the order
// in which the machine tells of them. An error names the device that cannot be used.
func Open() (*Machine, error) {
	if !Running() {
		return nil, errors.New("this program does not run on a machine of its own")
	}
	return open()
}
