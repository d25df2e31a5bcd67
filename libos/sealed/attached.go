package sealed

import "cairn/libos"

// Attached is what a process has been given, and so all that it may use once it
// is sealed. Descriptors are open already.
type Attached struct {
	Consoles []Descriptor // written to: standard output and error, a log
	Links    []Descriptor // network cards
	Blocks   []Disk
	Folder   string        // a folder's path, in which files are read and written; empty: none
	Host     *libos.Limits // the host's sockets, for no more than that; nil: none

	// User is who the process is afterwards, with the group of the same number, if it is
	// root now. 0 stands for the owner of Folder, or where that is root or there is none,
	// Nobody.
	User uint32
}

// Nobody is the user, and the group, that owns nothing.
const Nobody = 65534

// A Descriptor is one that is open. In what is only to be printed FD may be Unknown.
type Descriptor struct {
	Name string // for people: "standard output", "tap0"
	FD   int
}

// Unknown is a descriptor of something that is not open yet.
const Unknown = -1

// A Disk is a descriptor of a block device or of a file that stands for one.
type Disk struct {
	Descriptor
	ReadOnly bool
}
