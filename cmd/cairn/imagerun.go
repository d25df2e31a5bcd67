package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cairn/deploy/image"
)

type imageRun struct {
	File    string   `arg:"" type:"existingfile" help:"The image."`
	Service []string `arg:"" optional:"" name:"arguments" help:"Behind --: arguments of the service, the same in every world. Files and disks that they name go along."`

	In      image.World `short:"t" required:"" enum:"unix,sealed,qemu,firecracker,cloud-hypervisor" help:"Where: unix, sealed, qemu, firecracker or cloud-hypervisor."`
	Tap     string      `help:"The network device that is the service's own." placeholder:"NAME"`
	Memory  int         `short:"m" default:"128" help:"Of a virtual machine, in MiB."`
	Forward []string    `help:"Lead a port of this host to one of the machine, in place of the manifest's (qemu without --tap); may be repeated." placeholder:"HOST:PORT=PORT"`
	Q35     bool        `name:"q35" help:"A machine with a PCI bus in place of a microvm (qemu)."`
	Accel   string      `enum:"auto,kvm,tcg" default:"auto" help:"kvm, tcg (emulated), or auto: kvm where this user may (qemu)."`
	Print   bool        `help:"Only print what would be done."`
}

// exitStatus is how a service ended that a command has run: the command ends so too.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func (c *imageRun) Run(ctx context.Context, term terminal) error {
	file, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	i, err := inspectFile(file)
	if err != nil {
		return err
	}
	plan, err := image.Start{
		File:     file,
		Manifest: i.Manifest,
		World:    c.In,
		Args:     c.Service,
		TAP:      c.Tap,
		MiB:      c.Memory,
		Forward:  c.Forward,
		PCI:      c.Q35,
		KVM:      c.Accel == "kvm" || c.Accel == "auto" && haveKVM(),
	}.Plan()
	if err != nil {
		return err
	}
	shown := term.err // what the service says stays apart
	if c.Print {
		shown = term.out
	}
	if err := plan.Print(shown); err != nil || c.Print {
		return err
	}
	return startPlan(ctx, plan, term)
}

// startPlan starts a plan if what it needs is installed.
func startPlan(ctx context.Context, plan *image.Plan, term terminal) error {
	if !plan.Installed() {
		return fmt.Errorf("%s is not installed here: what is printed above starts the image where it is", plan.Command[0])
	}
	status, err := plan.Run(ctx, term.in, term.out, term.err)
	if err == nil && status != 0 {
		err = exitStatus(status)
	}
	return err
}

// haveKVM reports whether this user may use the processor's virtualization.
func haveKVM() bool {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// statusOf is the exit status that an error ends the command with.
func statusOf(err error) (int, bool) {
	status, ok := errors.AsType[exitStatus](err)
	return int(status), ok
}
