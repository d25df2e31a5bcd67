// Probe is the program whose costs are compared in two kinds of machine: the servers of the
// network benchmarks, or, with --micro, small things timed one after another.
package main

import (
	"context"

	"cairn/bench/stack"
	"cairn/libos"
	"cairn/libos/boot"
)

func main() { boot.Main(manifest, run) }

var manifest = libos.Manifest{
	Name:  "probe",
	About: "Serves what the network benchmarks put their loads on.",
	Ports: []libos.Port{
		{Name: "echo", Host: ":7", Own: ":7", Help: "Says again what it is told."},
		{Name: "sink", Host: ":9", Own: ":9", Help: "Takes everything."},
		{Name: "source", Host: ":19", Own: ":19", Help: "Sends without end."},
		{Name: "http", Host: ":80", Own: ":80", Help: "One page of 1 KB."},
		{Name: "https", Host: ":443", Own: ":443", Help: "The same over TLS."},
	},
	Args: []libos.Arg{{Name: "micro", Kind: libos.Bool, Help: "Print what small things cost, in seconds, and end."}},
}

func run(ctx context.Context, env libos.Env) error {
	if env.Args.Bool("micro") {
		return micro(env.Out)
	}
	servers, err := stack.Servers()
	if err != nil {
		return err
	}
	for name, serve := range servers {
		l, err := env.Listen(ctx, name)
		if err != nil {
			return err
		}
		defer l.Close()
		go serve(l)
	}
	env.Log.Info("serving")
	<-ctx.Done()
	return nil
}
