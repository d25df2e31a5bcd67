package sealed

import (
	"strings"

	"cairn/libos"
)

// Attached is what a process has been given, and so all that it may use once it
// is sealed. Descriptors are open already.
type Attached struct {
	Consoles []Descriptor // written to: standard output and error, a log
	Links    []Descriptor // network cards
	Blocks   []Disk
	Folder   string        // a folder's path, in which files are read and written; empty: none
	Host     *libos.Limits // the host's sockets, for no more than that, name servers included; nil: none

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

// Declared is what a program with this manifest may be given, nothing of it open yet:
// what Calls makes of it can be read without running the program. card says that it
// has a network of its own, on a network card, in place of the host's.
func Declared(m libos.Manifest, card bool) Attached {
	a := Attached{Consoles: []Descriptor{{"standard output", Unknown}, {"standard error", Unknown}}}
	for _, d := range m.Disks {
		a.Blocks = append(a.Blocks, Disk{Descriptor{"disk " + d.Name, Unknown}, d.ReadOnly})
	}
	if m.State != nil {
		a.Folder = "--" + m.State.Name
	}
	switch {
	case len(m.Ports)+len(m.Peers) == 0:
	case card:
		a.Links = []Descriptor{{"network card", Unknown}}
	default:
		a.Host = declaredLimits(m)
	}
	return a
}

// declaredLimits say which ways there are to use the host's network.
func declaredLimits(m libos.Manifest) *libos.Limits {
	var l libos.Limits
	for _, p := range m.Ports {
		network := "tcp:*"
		if strings.HasPrefix(p.Network, "udp") {
			network = "udp:*"
		}
		l.Listen = append(l.Listen, network)
	}
	if len(m.Peers) > 0 {
		l.Dial = []string{"*"}
	}
	return &l
}
