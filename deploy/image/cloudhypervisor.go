package image

import (
	"fmt"
	"strings"
)

// cloudHypervisor is the command line of cloud-hypervisor (its --help, and
// vmm/src/config.rs of its source).
func (v *machine) cloudHypervisor() (*Plan, error) {
	p := &v.plan
	p.Command = []string{"cloud-hypervisor", "--kernel", v.File, "--cpus", "boot=1", "--memory", fmt.Sprintf("size=%dM", v.MiB),
		"--serial", "tty", "--console", "off", "--rng", "src=/dev/urandom"}
	if v.line != "" {
		p.Command = append(p.Command, "--cmdline", v.line)
	}
	if v.networked() {
		p.Command = append(p.Command, "--net", "tap="+v.tap()+",mac="+v.mac)
		p.Notes = append(p.Notes, tapNote(v.tap()))
	}
	for i, d := range v.inOrder() {
		if strings.ContainsAny(d.file, `,"[]`) {
			return nil, fmt.Errorf("cloud-hypervisor takes no commas, quotes or brackets in the name of a disk's file: rename %q", d.file)
		}
		if i == 0 {
			p.Command = append(p.Command, "--disk")
		}
		text := "path=" + d.file + ",serial=" + d.name
		if d.readOnly {
			text += ",readonly=on"
		}
		if d.file == p.disk {
			p.diskAt = len(p.Command)
		}
		p.Command = append(p.Command, text)
	}
	p.Notes = append(p.Notes, "Written after cloud-hypervisor's documentation; not tried.")
	return p, nil
}
