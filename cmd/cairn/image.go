package main

import (
	"context"
	"fmt"
	"os"

	"cairn/deploy/image"
)

type imageCommands struct {
	Build   imageBuild   `cmd:"" help:"Make the image of a program from its source."`
	Verify  imageVerify  `cmd:"" help:"Build an image again, compare, and name the first difference."`
	Inspect imageInspect `cmd:"" help:"What an image needs, holds and may do, without running it."`
	Run     imageRun     `cmd:"" help:"Start an image, and print how to start it elsewhere."`
	Oci     imageOCI     `cmd:"" name:"oci" help:"Make an OCI image with nothing in it but the file."`
	Unit    imageUnit    `cmd:"" help:"Print a systemd unit for an image."`
	Lines   imageLines   `cmd:"" help:"Count the lines of code in an image, with libraries and the Go runtime."`
}

type imageBuild struct {
	Program string   `arg:"" help:"A folder below cmd (unipi, caldav), or a main package as go build takes it."`
	Command []string `arg:"" optional:"" help:"Of a program of several commands, the one that is the service (up of cairn)."`
	Output  string   `short:"o" required:"" help:"Where to write the image." placeholder:"FILE"`
	Source  string   `help:"A folder of the source tree; by itself the working directory." placeholder:"DIR" type:"existingdir"`
}

func (c *imageBuild) Run(ctx context.Context, term terminal) error {
	b, err := image.Build(ctx, image.Options{Program: c.Program, Command: c.Command, Source: c.Source})
	if err != nil {
		return err
	}
	if err := writeNew(c.Output, b.Image, 0o755); err != nil {
		return err
	}
	warnUntried(term, b.Facts)
	warnUnrepeatable(term, b)
	i, err := inspectFile(c.Output)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(term.out, "%s  %s\n", i.SHA256, c.Output)
	return err
}

// warnUntried says that a version of Go is another than the kernel was written for.
func warnUntried(term terminal, f image.Facts) {
	if !f.Tried() {
		fmt.Fprintf(term.err, "cairn: as a virtual machine, an image made by %s has not been tried: boot it once before you rely on it (cairn image run -t qemu)\n", f.Go)
	}
}

// warnUnrepeatable says why nobody else can make the same image, where that is so.
func warnUnrepeatable(term terminal, b *image.Built) {
	if b.Facts.Revision() == "" {
		fmt.Fprintln(term.err, "cairn: the source is in no git checkout: nobody can tell from the image what it was built from")
	}
	if !b.Facts.Modified() {
		return
	}
	fmt.Fprintln(term.err, "cairn: nobody else can rebuild this image: the source has changes that are not committed (git status):")
	for i, line := range b.Changes {
		if i == 10 {
			fmt.Fprintf(term.err, "  … and %d more\n", len(b.Changes)-i)
			break
		}
		fmt.Fprintf(term.err, "  %s\n", image.Printable(line))
	}
}

// writeNew writes a file whole or not at all. mode holds whatever the umask.
func writeNew(name string, data []byte, mode os.FileMode) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, data, mode); err != nil {
		return err
	}
	err := os.Chmod(temporary, mode)
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}

type imageVerify struct {
	File   string `arg:"" type:"existingfile" help:"The image."`
	Source string `help:"A folder of the source tree; by itself the working directory." placeholder:"DIR" type:"existingdir"`
}

func (c *imageVerify) Run(ctx context.Context, term terminal) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d, err := image.Verify(ctx, data, c.Source)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if d != nil {
		return fmt.Errorf("%s is not what the source makes. First difference: %v", c.File, d)
	}
	_, err = fmt.Fprintf(term.out, "%s is what the source makes, byte for byte\n", c.File)
	return err
}

func inspectFile(name string) (*image.Info, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	i, err := image.Inspect(f, stat.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return i, nil
}
