// Package image measures programs that are virtual machines by themselves beside the
// same files under Debian's cloud kernel, in the same kind of machine: QEMU's microvm without
// hardware acceleration, on a TAP device in a network namespace of its own.
//
// It needs root, ip, qemu-system-x86_64, apt-get and dpkg-deb (Debian: iproute2, qemu-system-x86);
// Debian's kernel is downloaded and not installed.
package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"cairn/bench/measure"
	"cairn/libos/metal/vm"
)

// bench is what all stages share.
type bench struct {
	room  *measure.Room
	place *place
	host  *gitHost

	ours, peer  guest
	debian      *debian
	unipi, test string // image files: of the website, and of the probe
}

// Run measures images.
func Run(ctx context.Context, room *measure.Room) error {
	for _, tool := range []string{"ip", vm.Program, "apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(room.Log, "image is left out: %v; install iproute2 and qemu-system-x86\n", err)
			return nil
		}
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(room.Log, "image is left out: only root makes network namespaces")
		return nil
	}
	dir := filepath.Join(room.Dir, "image")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{room: room}
	if err := b.prepare(ctx, dir); err != nil {
		return err
	}
	defer b.place.Remove()
	defer b.host.close()
	for _, stage := range []struct {
		name string
		run  func(ctx context.Context, dir string, size int) error
	}{
		{"boot", b.boot}, {"memory", b.memory}, {"idle", b.idle}, {"size", b.size}, {"load", b.load}, {"micro", b.micro}, {"lines", b.lines}, {"soak", b.soak},
	} {
		if err := room.Stage(ctx, stage.name, 1, stage.run); err != nil {
			return err
		}
	}
	return nil
}

// prepare builds the images and fetches what they are compared with.
func (b *bench) prepare(ctx context.Context, dir string) (err error) {
	for pkg, file := range map[string]*string{"cairn/cmd/unipi": &b.unipi, "cairn/bench/image/probe": &b.test} {
		if *file, err = build(ctx, dir, pkg); err != nil {
			return err
		}
	}
	init, err := compile(ctx, dir, "cairn/bench/image/init", "init")
	if err != nil {
		return err
	}
	if b.debian, err = fetchDebian(ctx, dir); err != nil {
		return err
	}
	if b.place, err = newPlace(); err != nil {
		return err
	}
	if b.host, err = newGitHost(ctx, b.place, dir); err != nil {
		b.place.Remove()
		return err
	}
	b.ours = metal{b.place, dir}
	b.peer = underLinux{b.place, dir, b.debian, init}
	return nil
}

// tool is what stands beside an image.
func (b *bench) tool() string { return "Debian's kernel " + b.debian.version }

// website is unipi serving the site, without a line in a log for each request, which
// would go over a serial port. The host is asked for news so seldom that a benchmark does not
// see it.
func (b *bench) website() program {
	return program{
		file: b.unipi,
		args: []string{"--remote", b.host.plain, "--poll", "1h", "--log=", "--host", "www=" + guestAddress},
		host: []string{"--listen", ":80"},
	}
}

// secureWebsite is unipi serving over TLS what it has from there over TLS.
func (b *bench) secureWebsite() program {
	return program{
		file:  b.unipi,
		args:  []string{"--remote", b.host.secure, "--remote-ca", "/etc/ca.pem", "--poll", "1h", "--log=", "--host", "www=" + guestAddress, "--tls", "seed", "--seed", seed},
		host:  []string{"--listen", ":80", "--https", ":443"},
		files: map[string][]byte{"/etc/ca.pem": b.host.ca},
	}
}

// seed is that of the certificate, which nobody checks.
const seed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// run starts a program in a machine, waits until it serves, and hands it to do.
func (b *bench) run(ctx context.Context, g guest, p program, memory int, port string, do func(*vm.VM) error) error {
	m, err := g.machine(p, memory)
	if err != nil {
		return err
	}
	v, err := m.Start()
	if err != nil {
		return err
	}
	defer v.Kill()
	if _, err := b.first(ctx, v, port); err != nil {
		return err
	}
	return do(v)
}
