package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
)

// A machine is what every virtual machine monitor is told, each in its own words.
type machine struct {
	Start
	line  string // the kernel's command line
	disks []disk
	plan  Plan
	mac   string
}

// leastMiB is how large a machine must be for the first page of an image to be in it, which
// tells whoever has less than the rest needs.
const leastMiB = 5

type disk struct {
	name, file string
	readOnly   bool
}

// machine finds out which devices the arguments amount to.
func (s Start) machine() (*machine, error) {
	v := &machine{Start: s, plan: Plan{vm: true}, mac: address(s.Manifest.Name + s.TAP)}
	switch {
	case v.MiB == 0:
		v.MiB = 128
	case v.MiB < leastMiB:
		return nil, fmt.Errorf("a virtual machine of %d MiB has no memory where a program belongs: a website wants about 24", v.MiB)
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
	v.line, err = kernelLine(commandOf(s.Manifest), rest)
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
