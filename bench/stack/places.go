package stack

import (
	"errors"
	"fmt"
	"os"

	"cairn/internal/netns"
)

// Addresses: .1 is the client's, .2 the server's.
const (
	tapClient, tapServer   = "198.18.0.1", "198.18.0.2"
	vethClient, vethServer = "198.18.1.1", "198.18.1.2"

	tapDevice = "tap0"
)

// Places are two network namespaces with a veth pair between them. The clients' has the
// TAP device too, with a server behind it.
type places struct{ client, server netns.Space }

// newPlaces makes them.
func newPlaces() (*places, error) {
	name := fmt.Sprintf("cairn-%d", os.Getpid())
	server, err := netns.New(name+"-server", "")
	if err != nil {
		return nil, err
	}
	client, err := netns.New(name+"-client", `
		link add veth0 type veth peer name veth0 netns `+string(server)+`
		addr add `+vethClient+`/24 dev veth0
		link set veth0 up
		tuntap add `+tapDevice+` mode tap vnet_hdr
		addr add `+tapClient+`/24 dev `+tapDevice+`
		link set `+tapDevice+` up`)
	if err != nil {
		return nil, errors.Join(err, server.Remove())
	}
	p := &places{client, server}
	err = server.Run(`
		addr add ` + vethServer + `/24 dev veth0
		link set veth0 up`)
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *places) remove() error { return errors.Join(p.client.Remove(), p.server.Remove()) }
