package main

import (
	"io"
	"path/filepath"

	"cairn/deploy/image"
)

type imageUnit struct {
	File    string   `arg:"" type:"existingfile" help:"The image."`
	Service []string `arg:"" optional:"" name:"arguments" help:"Behind --: arguments of the service."`
	Tap     string   `help:"The network device that is the service's own." placeholder:"NAME"`
}

func (c *imageUnit) Run(term terminal) error {
	file, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	i, err := inspectFile(file)
	if err != nil {
		return err
	}
	unit, err := image.Start{File: file, Manifest: i.Manifest, World: image.Sealed, Args: c.Service, TAP: c.Tap}.Unit()
	if err != nil {
		return err
	}
	_, err = io.WriteString(term.out, unit)
	return err
}
