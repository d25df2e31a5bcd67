package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"cairn/bench/stack"
)

// Addresses on the cable between this machine and the virtual one.
const (
	hostAddress  = "198.18.0.1"
	guestAddress = "198.18.0.2"
	guestMAC     = "52:54:00:12:00:02"

	tapDevice = "tap0"
)

// A place is a network namespace with a TAP device, at whose other end the machines
// are, one at a time.
type place struct{ name string }

// newPlace makes one. It knows the guest's Ethernet address beforehand: to ask for it would
// make the first try of a connection a second long.
func newPlace() (*place, error) {
	p := &place{fmt.Sprintf("cairn-%d-image", os.Getpid())}
	script := strings.NewReplacer("PLACE", p.name, "TAP", tapDevice).Replace(`
		netns add PLACE
		-n PLACE link set lo up
		-n PLACE tuntap add TAP mode tap vnet_hdr
		-n PLACE addr add ` + hostAddress + `/24 dev TAP
		-n PLACE link set TAP up
		-n PLACE neigh add ` + guestAddress + ` lladdr ` + guestMAC + ` dev TAP nud permanent`)
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		if err := stack.IP(strings.Fields(line)...); err != nil {
			return nil, errors.Join(err, p.remove())
		}
	}
	return p, nil
}

func (p *place) remove() error { return stack.IP("netns", "del", p.name) }

// within is the command that runs another one there.
func (p *place) within() []string { return []string{"ip", "netns", "exec", p.name} }

// card are the arguments that give a machine its network card.
func card() []string {
	return []string{"-netdev", "tap,id=n0,ifname=" + tapDevice + ",script=no,downscript=no", "-device", "virtio-net-device,netdev=n0,mac=" + guestMAC}
}

// inside runs do on a thread that is in the namespace, as are the sockets that
// it opens.
func (p *place) inside(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- func() error {
			f, err := os.Open("/run/netns/" + p.name)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			return do()
		}()
	}()
	return <-done
}

// listen listens on a free port of the host's address there.
func (p *place) listen() (l net.Listener, err error) {
	err = p.inside(func() (err error) {
		l, err = net.Listen("tcp", hostAddress+":0")
		return err
	})
	return l, err
}

// dial connects to the guest; it waits no longer than a SYN may take on a cable of no
// length, so that the next one goes out soon.
func (p *place) dial(ctx context.Context, port string, patience time.Duration) (c net.Conn, err error) {
	d := net.Dialer{Timeout: patience}
	err = p.inside(func() (err error) {
		c, err = d.DialContext(ctx, "tcp", net.JoinHostPort(guestAddress, port))
		return err
	})
	return c, err
}
