package boot

import (
	"fmt"
	"io"
	"os"

	"cairn/libos"
	"cairn/libos/sealed"
	"cairn/libos/unix"
)

// process is the world of a process on a host: files are the host's, disks are files or block
// devices, and the network is the host's or a TAP device.
func process(m libos.Manifest, args libos.Args) (_ *devices, err error) {
	d := &devices{disks: map[string]libos.Block{}, readFile: readFile}
	d.attached.Consoles = []sealed.Descriptor{{Name: "standard output", FD: 1}, {Name: "standard error", FD: 2}}
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
		return d, d.openTAP(device, on)
	}
	for _, name := range []string{"ipv4", "ipv6", "gateway", "mac"} {
		if args.Given(name) {
			return nil, fmt.Errorf("--%s goes with a TAP device: --net=tap0", name)
		}
	}
	return d, nil
}

// openDisks opens what the arguments name.
func (d *devices) openDisks(m libos.Manifest, args libos.Args) error {
	for _, want := range wantedDisks(m) {
		name := args.String(want.Name)
		if name == "" && want.Required {
			return fmt.Errorf("--%s DISK is required", want.Name)
		}
		if name == "" {
			continue
		}
		disk, err := unix.OpenBlock(name, want.ReadOnly)
		if err != nil {
			return fmt.Errorf("--%s: %w", want.Name, err)
		}
		d.disks[want.Name] = disk
		if want.Name != filesArg { // which is read and closed at once
			at := sealed.Descriptor{Name: name, FD: disk.FD()}
			d.attached.Blocks = append(d.attached.Blocks, sealed.Disk{Descriptor: at, ReadOnly: want.ReadOnly})
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
