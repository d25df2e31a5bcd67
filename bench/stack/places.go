package stack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Addresses: .1 is the client's, .2 the server's.
const (
	tapClient, tapServer   = "198.18.0.1", "198.18.0.2"
	vethClient, vethServer = "198.18.1.1", "198.18.1.2"

	tapDevice = "tap0"
)

// Places are two network namespaces with a veth pair between them. The clients' has the
// TAP device too, with a server behind it.
type places struct{ client, server string }

// newPlaces makes them.
func newPlaces() (*places, error) {
	name := fmt.Sprintf("cairn-%d", os.Getpid())
	p := &places{name + "-client", name + "-server"}
	script := strings.NewReplacer("CLIENT", p.client, "SERVER", p.server).Replace(`
		netns add CLIENT
		netns add SERVER
		-n CLIENT link set lo up
		-n SERVER link set lo up
		-n CLIENT link add veth0 type veth peer name veth0 netns SERVER
		-n CLIENT addr add ` + vethClient + `/24 dev veth0
		-n SERVER addr add ` + vethServer + `/24 dev veth0
		-n CLIENT link set veth0 up
		-n SERVER link set veth0 up
		-n CLIENT tuntap add ` + tapDevice + ` mode tap vnet_hdr
		-n CLIENT addr add ` + tapClient + `/24 dev ` + tapDevice + `
		-n CLIENT link set ` + tapDevice + ` up`)
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		if err := IP(strings.Fields(line)...); err != nil {
			return nil, errors.Join(err, p.remove())
		}
	}
	return p, nil
}

func (p *places) remove() error {
	return errors.Join(IP("netns", "del", p.client), IP("netns", "del", p.server))
}

// IP runs the command ip.
func IP(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
