package main

import (
	"fmt"
	"os"

	"cairn/deploy/image"
)

type imageOCI struct {
	File   string `arg:"" type:"existingfile" help:"The image."`
	Output string `short:"o" required:"" help:"A new folder (OCI image layout), or a file that ends in .tar (for docker load)." placeholder:"DIR|TAR"`
	Tag    string `help:"Its name; by itself cairn/ and the program's." placeholder:"NAME[:TAG]"`
}

func (c *imageOCI) Run(term terminal) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	built, err := image.OCI(data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	tag := c.Tag
	if tag == "" {
		i, err := inspectFile(c.File)
		if err != nil {
			return err
		}
		tag = "cairn/" + i.Program()
	}
	if err := image.WriteOCI(built, c.Output, tag); err != nil {
		return err
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(term.out, "%s  %s\n", digest, c.Output)
	return err
}
