package boot

import (
	"fmt"
	"io"
	"os"

	"cairn/libos"
)

// process is the world of a process on a host: files are the host's, disks are files or block
// devices, and the network is the host's or a TAP device.
func process(m libos.Manifest, args libos.Args) (_ *devices, err error) {
	d := &devices{disks: map[string]libos.Block{}, readFile: readFile, online: true}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := d.openDisks(m, args); err != nil {
		return nil, err
	}
	device := args.String("net")
	on, err := parseInterface(args)
	if err != nil {
		return nil, err
	}
	if device != onHost {
		d.card, err = openTAP(device, on)
		return d, err
	}
	for _, name := range []string{"ipv4", "ipv6", "gateway", "mac"} {
		if args.Given(name) {
			return nil, fmt.Errorf("--%s goes with a TAP device: --net=tap0", name)
		}
	}
	return d, nil
}

// openDisks opens what the arguments name.
func (d *devices) openDisks(m libos.Manifest, args libos.Args) (err error) {
	for _, want := range wantedDisks(m) {
		name := args.String(want.Name)
		switch {
		case name != "":
			if d.disks[want.Name], err = openBlock(name, want.ReadOnly); err != nil {
				delete(d.disks, want.Name)
				return fmt.Errorf("--%s: %w", want.Name, err)
			}
		case want.Required:
			return fmt.Errorf("--%s DISK is required", want.Name)
		}
	}
	return nil
}

// wantedDisks are the manifest's, and the disk of files.
func wantedDisks(m libos.Manifest) []libos.Disk {
	return append(m.Disks[:len(m.Disks):len(m.Disks)], libos.Disk{Name: filesArg, ReadOnly: true})
}

// readFile reads a file of the host's of maxFiles bytes at most.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFiles+1))
	if err == nil && len(data) > maxFiles {
		err = fmt.Errorf("read %s: it is larger than 16 MiB", name)
	}
	return data, err
}
