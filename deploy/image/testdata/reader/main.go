// Reader is a service that prints the file that an argument names.
package main

import (
	"context"

	"cairn/libos"
	"cairn/libos/boot"
)

func main() { boot.Main(manifest, run) }

var manifest = libos.Manifest{
	Name:  "reader",
	About: "Prints a file.",
	Args:  []libos.Arg{{Name: "key", Kind: libos.File, Required: true, Help: "The file."}},
}

func run(_ context.Context, env libos.Env) error {
	data, err := env.ReadFile(env.Args.String("key"))
	if err == nil {
		_, err = env.Out.Write(data)
	}
	return err
}
