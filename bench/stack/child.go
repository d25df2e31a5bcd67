package stack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"cairn/internal/netns"
	"cairn/libos"
	"cairn/libos/unix"
	"cairn/net/host"
	"cairn/net/stack"
)

// ChildEnv names the variable that makes this program one of the processes of
// this package, see Child.
const ChildEnv = "CAIRN_BENCH_STACK"

// Child is a server until its standard input ends ("serve tap", "serve host"), or a load
// ("load KIND ADDRESS SECONDS") that prints its figure.
func Child(what string) error {
	words := strings.Fields(what)
	switch {
	case len(words) == 2 && words[0] == "serve":
		return child(words[1])
	case len(words) == 4 && words[0] == "load":
		seconds, err := strconv.Atoi(words[3])
		if err != nil {
			return err
		}
		figure, err := loads[words[1]].run("tcp", words[2], seconds)
		if err != nil {
			return err
		}
		_, err = fmt.Println(figure)
		return err
	}
	return fmt.Errorf("%s=%q: not a child of the benchmark", ChildEnv, what)
}

// command returns this program as a child in a namespace.
func command(ctx context.Context, place netns.Space, what string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	words := place.Command(self)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), ChildEnv+"="+what)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// Load runs one load (in, out, echo, http, handshake) from a network namespace on what Servers
// are at that address, and returns its figure.
func Load(ctx context.Context, place netns.Space, kind, address string, seconds int) (float64, error) {
	cmd, err := command(ctx, place, fmt.Sprintf("load %s %s %d", kind, address, seconds))
	if err != nil {
		return 0, err
	}
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s on %s: %w", kind, address, err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// serve starts a server and waits until it listens.
func serve(place netns.Space, how string) (stop func(), err error) {
	cmd, err := command(context.Background(), place, "serve "+how)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() { in.Close(); cmd.Wait() }
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		stop()
		return nil, fmt.Errorf("the server on %s does not start: %w", how, err)
	}
	return stop, nil
}

// child is a server on one of the two networks.
func child(how string) error {
	n := host.New(host.Options{})
	address := vethServer
	if how == "tap" {
		tap, err := unix.OpenTAP(tapDevice, nil)
		if err != nil {
			return err
		}
		address = tapServer
		s, err := stack.New(tap, stack.Options{IPv4: netip.MustParsePrefix(address + "/24")})
		if err != nil {
			return err
		}
		defer s.Close()
		n = libos.Net(s)
	}
	if err := listen(context.Background(), n, address); err != nil {
		return err
	}
	fmt.Println("listening")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
