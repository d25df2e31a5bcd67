// Package boot starts a service: it reads its arguments, finds out which
// network it is to be on, attaches what its manifest names and nothing else, and
// runs it until a signal. A service's whole main is
//
//	func main() { boot.Main(manifest, run) }
//
//	func run(ctx context.Context, env libos.Env) error { … }
//
// Beside its own arguments every service takes those of the network (network.go):
// by default it uses the host's sockets, with --net=tap0 it has a TCP/IP stack of its
// own on that device.
//
// # How it ends
//
// When ctx ends, on SIGINT or SIGTERM, run finishes what is under way and
// returns nil: exit status 0. An error is one line on standard error and exit
// status 1; arguments that cannot be, 2.
package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"cairn/libos"
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

// Main runs the service with the process's arguments, and ends the process.
func Main(m libos.Manifest, run Service) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := Run(ctx, m, os.Args[1:], Terminal{os.Stdout, os.Stderr, os.Getenv}, run)
	stop()
	os.Exit(status)
}

// Run is Main without the process around it, for a command of a bigger program
// and for tests. It returns the exit status.
func Run(ctx context.Context, m libos.Manifest, args []string, term Terminal, run Service) int {
	m.Args = append(m.Args[:len(m.Args):len(m.Args)], networkArgs...)
	given, err := m.Parse(args, term.Variable)
	if errors.Is(err, libos.ErrHelp) {
		if err = m.Help(term.Out); err == nil {
			return 0
		}
	}
	program, _, _ := strings.Cut(m.Name, " ")
	if err != nil {
		fmt.Fprintf(term.Err, "%s: %v\nTry: %s --help\n", program, err, m.Name)
		return 2
	}
	if err := attach(ctx, m, given, term, run); err != nil {
		fmt.Fprintf(term.Err, "%s: %s\n", program, oneLine(err))
		return 1
	}
	return 0
}

// attach makes the Env that the arguments ask for, and runs the service in it.
func attach(ctx context.Context, m libos.Manifest, args libos.Args, term Terminal, run Service) error {
	log := slog.New(slog.NewTextHandler(term.Err, nil))
	n, err := openNetwork(ctx, args, log)
	if err != nil {
		return err
	}
	env := libos.Env{
		Net:      libos.Limit(n.Net, m.Limits(args, n.addrs != nil)),
		Args:     args,
		Log:      log,
		Out:      term.Out,
		Err:      term.Err,
		Addrs:    n.addrs,
		Manifest: m,
	}
	if m.State != nil {
		env.State = args.String(m.State.Name)
	}
	return errors.Join(run(ctx, env), n.close())
}

// oneLine is an error's text without line breaks, which joined errors have.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
