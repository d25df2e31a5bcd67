package image

import (
	"fmt"
	"strconv"
	"strings"
)

// qemu is the command line of QEMU: a microvm with its devices on virtio-mmio,
// or q35 with them on PCI.
func (v *machine) qemu() (*Plan, error) {
	kind, suffix, accel, processor := "microvm", "-device", "tcg", "max"
	if v.PCI {
		kind, suffix = "q35", "-pci"
	}
	if v.KVM {
		accel, processor = "kvm", "host"
	}
	p := &v.plan
	p.Command = []string{"qemu-system-x86_64", "-M", kind, "-accel", accel, "-cpu", processor, "-m", strconv.Itoa(v.MiB),
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4",
		"-kernel", v.File}
	if v.line != "" {
		p.Command = append(p.Command, "-append", v.line)
	}
	if !v.PCI {
		p.Command = append(p.Command, "-global", "virtio-mmio.force-legacy=false")
	}
	device := func(name string, settings ...string) {
		p.Command = append(p.Command, "-device", strings.Join(append([]string{name + suffix}, settings...), ","))
	}
	device("virtio-rng")
	if v.networked() {
		backend, err := v.qemuNetwork()
		if err != nil {
			return nil, err
		}
		p.Command = append(p.Command, "-netdev", backend)
		device("virtio-net", "netdev=net0", "mac="+v.mac)
	}
	for _, d := range v.disks {
		if len(d.name) > 20 {
			return nil, fmt.Errorf("a disk's ID has at most 20 bytes, and %q more", d.name)
		}
		drive := "if=none,format=raw,id=" + d.name + ",file=" + strings.ReplaceAll(d.file, ",", ",,")
		if d.readOnly {
			drive += ",readonly=on"
		}
		if d.file == p.disk {
			p.diskAt = len(p.Command) + 1
		}
		p.Command = append(p.Command, "-drive", drive)
		device("virtio-blk", "drive="+d.name, "serial="+d.name)
	}
	return p, nil
}

// qemuNetwork is the other end of the machine's network card.
func (v *machine) qemuNetwork() (string, error) {
	if v.TAP != "" {
		v.plan.Notes = append(v.plan.Notes, tapNote(v.TAP))
		return "tap,id=net0,script=no,downscript=no,vhost=off,ifname=" + v.TAP, nil
	}
	list, err := v.forwards()
	if err != nil {
		return "", err
	}
	text := "user,id=net0"
	for _, f := range list {
		text += fmt.Sprintf(",hostfwd=%s:%s-:%s", f.network, f.host, f.port)
		v.plan.Notes = append(v.plan.Notes, fmt.Sprintf("Port %s of the machine is %s here (--forward HOST:PORT=PORT for another).", f.port, f.host))
	}
	return text, nil
}
