// Package boot starts a service: it reads its arguments, finds out which world it is in,
// attaches what its manifest names and nothing else, and runs it until it is told to
// stop. A service's whole main is
//
//	func main() { boot.Main(manifest, run) }
//
//	func run(ctx context.Context, env libos.Env) error { … }
//
// The worlds are a process on a host (process.go) and a machine without an operating system
// (machine.go), where the arguments are what the virtual machine monitor hands over as the
// kernel's command line. Beside its own arguments every service takes, in every world, those of
// Arguments: the network (network.go), a disk of files (archive.go), and whether a process gives
// up all else when it has what it needs (seal.go).
//
// # How it ends
//
// When ctx ends, on SIGINT or SIGTERM or by a machine's power button, run finishes what is
// under way and returns nil: exit status 0. An error is one line on standard error and
// exit status 1; arguments that cannot be, 2.
package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"cairn/libos"
	"cairn/libos/metal"
)

// A Service runs until ctx ends.
type Service = func(ctx context.Context, env libos.Env) error

// A Terminal is what a service sees of who started it.
type Terminal struct {
	Out, Err io.Writer

	// Variable returns a variable of the environment, for arguments that may
	// come from there; nil: none may.
	Variable func(string) string
}

// Arguments are those that every service takes beside its own.
var Arguments = slices.Concat(networkArgs, filesArgs, sealArgs)

// Main runs the service with the process's arguments, and ends the process. With --seal,
// warm are called before: each has read what run would read from the host later.
func Main(m libos.Manifest, run Service, warm ...func()) {
	ctx, stop := Context()
	status := Run(ctx, m, os.Args[1:], Terminal{os.Stdout, os.Stderr, os.Getenv}, run, warm...)
	stop()
	os.Exit(status)
}

// Context returns a context that ends when the program is told to stop.
func Context() (context.Context, func()) {
	if !metal.Running() {
		return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		select {
		case <-metal.PowerButton():
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// Run is Main without the process around it, for a command of a bigger program
// and for tests. It returns the exit status.
func Run(ctx context.Context, m libos.Manifest, args []string, term Terminal, run Service, warm ...func()) int {
	p := program{process, m, term, run, warm}
	if metal.Running() {
		p.world = machine(metal.Open)
	}
	return p.main(ctx, args)
}

// A world attaches to a program what its manifest and arguments name, and refuses
// what else they ask for.
type world func(m libos.Manifest, args libos.Args) (*devices, error)

// A program is a service in one of the worlds.
type program struct {
	world
	libos.Manifest
	Terminal
	run  Service
	warm []func()
}

// main runs the program and returns its exit status.
func (p program) main(ctx context.Context, args []string) int {
	p.Args = slices.Concat(p.Args, Arguments)
	given, err := p.Parse(args, p.Variable)
	told, asked := p.tell(err)
	if asked {
		err = told
	}
	if err != nil {
		fmt.Fprintf(p.Err, "%s: %v\nTry: %s --help\n", p.short(), err, p.Name)
		return 2
	}
	if asked {
		return 0
	}
	if err := p.attach(ctx, given); err != nil {
		fmt.Fprintf(p.Err, "%s: %s\n", p.short(), oneLine(err))
		return 1
	}
	return 0
}

// short is the program's name without that of a command.
func (p program) short() string {
	name, _, _ := strings.Cut(p.Name, " ")
	return name
}

// tell answers what the arguments asked, if they did, which err of Parse says.
func (p program) tell(err error) (told error, asked bool) {
	switch {
	case errors.Is(err, libos.ErrHelp):
		return p.Help(p.Out), true
	case errors.Is(err, libos.ErrVersion):
		_, err := fmt.Fprintln(p.Out, Version(p.short()))
		return err, true
	case errors.Is(err, libos.ErrManifest):
		return json.NewEncoder(p.Out).Encode(p.Manifest), true
	}
	return nil, false
}

// attach makes the Env that the arguments ask for, and runs the service in it.
func (p program) attach(ctx context.Context, args libos.Args) (err error) {
	log := slog.New(slog.NewTextHandler(p.Err, nil))
	d, err := p.world(p.Manifest, args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.openFiles(args); err != nil {
		return err
	}
	n, err := openNetwork(ctx, d, args, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	limits := p.Limits(args, n.addrs != nil)
	env := libos.Env{
		Net:      libos.Limit(n.Net, limits),
		Args:     args,
		Log:      log,
		Alone:    d.alone,
		Disks:    d.disks,
		Files:    d.readFile,
		Out:      p.Out,
		Err:      p.Err,
		Addrs:    n.addrs,
		Memory:   memory(),
		Manifest: p.Manifest,
	}
	if p.State != nil {
		env.State = args.String(p.State.Name)
	}
	if err := p.seal(d, &env, limits, n.servers); err != nil {
		return fmt.Errorf("--seal: %w", err)
	}
	return p.run(ctx, env)
}

// memory is what the runtime has been told to stay below (GOMEMLIMIT), which a
// machine of its own does by itself; 0 where nobody did.
func memory() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}

// oneLine is an error's text without line breaks, which joined errors have.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
