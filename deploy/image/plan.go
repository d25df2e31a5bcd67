package image

import (
	"fmt"

	"cairn/libos"
)

// A Start says how an image is to be started.
type Start struct {
	File     string // the image
	Manifest libos.Manifest
	World    World
	Args     []string // of the service, the same in every world

	// TAP is the network device that is the service's; "": the host's own network, or in
	// QEMU one that forwards ports.
	TAP string

	// Of virtual machines.
	MiB     int      // of memory, at least 5; 0: 128
	Forward []string // HOST:PORT=PORT, in place of the manifest's ports (QEMU without a TAP)
	PCI     bool     // the machine has a PCI bus (QEMU's q35) rather than being a microvm
	KVM     bool     // by the processor's own virtualization, rather than emulated
}

// A World is where an image runs.
type World string

// The worlds.
const (
	Unix            World = "unix"
	Sealed          World = "sealed"
	QEMU            World = "qemu"
	Firecracker     World = "firecracker"
	CloudHypervisor World = "cloud-hypervisor"
)

// A Plan is what a person, or Run, does to start an image.
type Plan struct {
	Command []string

	// Config is what the file of that name in Command holds, if there is one.
	ConfigName string
	Config     []byte

	// Notes say what has to be there before, or was not tried.
	Notes []string

	disk   string // name of the disk of files; "": there is none
	diskAt int    // index of the word of Command that names it; 0: Config does
	files  []packed
	vm     bool
}

// Names in a Command that Run puts its own temporary files for.
const (
	filesDisk  = "cairn-files.tar"
	configFile = "firecracker.json"
)

// Plan works out how to start an image. It looks at nothing but its arguments.
func (s Start) Plan() (*Plan, error) {
	if _, err := s.Manifest.Parse(s.Args, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Manifest.Name, err)
	}
	if s.World == Unix || s.World == Sealed {
		return s.process(), nil
	}
	v, err := s.machine()
	if err != nil {
		return nil, err
	}
	switch s.World {
	case QEMU:
		return v.qemu()
	case Firecracker:
		return v.firecracker()
	case CloudHypervisor:
		return v.cloudHypervisor()
	}
	return nil, fmt.Errorf("there is no world %q: it is unix, sealed, qemu, firecracker or cloud-hypervisor", s.World)
}

// process is the plan of a program on this host.
func (s Start) process() *Plan {
	p := &Plan{Command: append([]string{s.File}, commandOf(s.Manifest)...)}
	if s.World == Sealed {
		p.Command = append(p.Command, "--seal")
	}
	if s.TAP != "" {
		p.Command = append(p.Command, "--net="+s.TAP)
		p.Notes = append(p.Notes, tapNote(s.TAP))
	}
	p.Command = append(p.Command, s.Args...)
	return p
}

func tapNote(name string) string {
	return fmt.Sprintf("The network device has to be there: ip tuntap add %s mode tap user $(id -un) vnet_hdr && ip link set %s up", name, name)
}
