package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

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
	MiB     int      // of memory; 0: 128
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
	p := &Plan{Command: []string{s.File}}
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

// A machine is what every virtual machine monitor is told, each in its own words.
type machine struct {
	Start
	line  string // the kernel's command line
	disks []disk
	plan  Plan
	mac   string
}

type disk struct {
	name, file string
	readOnly   bool
}

// machine finds out which devices the arguments amount to.
func (s Start) machine() (*machine, error) {
	v := &machine{Start: s, plan: Plan{vm: true}, mac: address(s.Manifest.Name + s.TAP)}
	if v.MiB == 0 {
		v.MiB = 128
	}
	args, files, err := pack(s.Manifest, words(s.Manifest, s.Args))
	if err != nil {
		return nil, err
	}
	var rest []word
	for _, w := range args {
		switch {
		case w.name == "net" || w.name == "seal":
			return nil, fmt.Errorf("--%s goes with a process: a virtual machine has a network of its own (--tap NAME before the --), and nothing to be sealed against", w.name)
		case s.Manifest.State != nil && w.name == s.Manifest.State.Name:
			return nil, fmt.Errorf("--%s names a folder, which a virtual machine has none of: keep the state elsewhere (--remote URL)", w.name)
		case w.name == "files" || s.isDisk(w.name):
			v.disks = append(v.disks, s.disk(w))
		case w.name == "mac":
			v.mac = w.value
			rest = append(rest, w)
		default:
			rest = append(rest, w)
		}
	}
	if len(files) > 0 {
		if v.hasDisk("files") {
			return nil, errors.New("--files names a disk, and other arguments name files, which would be on another: give one of the two")
		}
		v.plan.disk, v.plan.files = filesDisk, files
		v.disks = append(v.disks, disk{name: "files", file: filesDisk, readOnly: true})
	}
	v.line, err = kernelLine(rest)
	return v, err
}

func (s Start) isDisk(name string) bool {
	for _, d := range s.Manifest.Disks {
		if d.Name == name {
			return true
		}
	}
	return false
}

// disk is the device that an argument names, with the name of the argument as its ID.
func (s Start) disk(w word) disk {
	d := disk{name: w.name, file: w.value, readOnly: w.name == "files"}
	for _, declared := range s.Manifest.Disks {
		if declared.Name == w.name {
			d.readOnly = declared.ReadOnly
		}
	}
	return d
}

func (v *machine) hasDisk(name string) bool {
	for _, d := range v.disks {
		if d.name == name {
			return true
		}
	}
	return false
}

// networked reports whether the service has to do with a network at all. A card
// for one that has not would be refused.
func (v *machine) networked() bool { return len(v.Manifest.Ports)+len(v.Manifest.Peers) > 0 }

// address is an Ethernet address that follows from a name, of those that anybody may give.
func address(name string) string {
	sum := sha256.Sum256([]byte(name))
	return net.HardwareAddr{0x02, sum[0], sum[1], sum[2], sum[3], sum[4]}.String()
}

// A forward leads a port of the host to one of the machine.
type forward struct{ network, host, port string }

// forwards are those that were asked for, or else one a port that the service listens at.
func (v *machine) forwards() ([]forward, error) {
	var list []forward
	for _, text := range v.Forward {
		host, port, ok := strings.Cut(text, "=")
		if _, _, err := net.SplitHostPort(host); err != nil || !ok || !number(port) {
			return nil, fmt.Errorf("--forward is HOST:PORT=PORT, such as 127.0.0.1:8080=80, not %q", text)
		}
		list = append(list, forward{"tcp", host, port})
	}
	if len(list) > 0 {
		return list, nil
	}
	given := map[string]string{}
	for _, w := range words(v.Manifest, v.Args) {
		given[w.name] = w.value
	}
	for _, p := range v.Manifest.Ports {
		if f, ok := forwardOf(p, given[p.Name]); ok {
			list = append(list, f)
		}
	}
	return list, nil
}

// forwardOf leads to where a port listens in the machine, from where it would listen on the
// host; a port that would not, from 8000 and its number (8443 for 443).
func forwardOf(p libos.Port, given string) (forward, bool) {
	at := given
	if at == "" {
		at = p.Own
	}
	if at == "" {
		at = p.Host
	}
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		return forward{}, false
	}
	f := forward{network: p.Network, host: p.Host, port: port}
	if f.network == "" {
		f.network = "tcp"
	}
	if f.host == "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return forward{}, false
		}
		if n < 1024 {
			n += 8000
		}
		f.host = net.JoinHostPort("127.0.0.1", strconv.Itoa(n))
	}
	return f, true
}

func number(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
