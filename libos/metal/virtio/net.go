package virtio

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"cairn/libos"
)

// A Net is a network card (virtio 1.2, 5.1). It is a libos.Link: frames are copied once
// between the program's memory and the card's, of which there is as much as
// OpenNet was told.
//
// A card that misbehaves is stopped, and from then on every call returns an error
// that says what it did.
type Net struct {
	life
	mac    net.HardwareAddr
	mtu    int
	plan   netPlan
	down   atomic.Bool // the cable is out
	closed error       // what calls return after Close

	in receiver // of Receive, which has one caller

	mu  sync.Mutex // guards out, and is held while the card is full
	out sender
}

var _ libos.Link = (*Net)(nil)

const (
	queueIn  = 0
	queueOut = 1
)

// OpenNet starts a card with about that many bytes of memory for frames, half of them for what
// comes in; 0: DefaultNetMemory. Less than 136 KiB is not enough for a card that cuts
// segments, and less than 385 KiB for one that also puts them together: they are
// then used without.
func OpenNet(d Device, m Memory, memory int) (*Net, error) {
	if memory == 0 {
		memory = DefaultNetMemory
	}
	if d.ID() != Network {
		return nil, fmt.Errorf("%s is of kind %d, not a network card", d.Name(), d.ID())
	}
	n := &Net{life: life{dev: d}, closed: fmt.Errorf("%s: %w", d.Name(), net.ErrClosed)}
	if err := n.open(m, memory); err != nil {
		d.Close()
		return nil, err
	}
	return n, nil
}

// DefaultNetMemory is how many bytes of memory a card has for frames.
const DefaultNetMemory = 1 << 20

func (n *Net) open(m Memory, memory int) error {
	if err := n.dev.Reset(); err != nil {
		return err
	}
	n.seen.Store(n.dev.Changes())
	offers := n.dev.Features()
	n.identify(offers)
	var err error
	if n.plan, err = planNet(offers, n.dev.Legacy(), n.mtu, memory, n.dev.QueueMax(queueIn)); err != nil {
		return fmt.Errorf("%s: %w", n.dev.Name(), err)
	}
	if err := n.dev.Accept(n.plan.features); err != nil {
		return err
	}
	if err := n.in.open(n.dev, m, &n.plan); err != nil {
		return err
	}
	if err := n.out.open(n.dev, m, &n.plan); err != nil {
		return err
	}
	if err := n.dev.Start(); err != nil {
		return err
	}
	n.look()
	n.in.queue.kick()
	return nil
}

// identify reads the card's address and MTU, once, each as what it is
// (virtio 1.2, 2.5.1).
func (n *Net) identify(offers uint64) {
	n.mac = make(net.HardwareAddr, 6)
	n.dev.Config(0, n.mac)
	if offers&netMAC == 0 || n.mac[0]&1 != 0 || [6]byte(n.mac) == [6]byte{} {
		n.mac = ownMAC(n.dev.Name())
	}
	n.mtu = 1500
	if offers&netMTU != 0 {
		var mtu [2]byte
		n.dev.Config(10, mtu[:])
		n.mtu = min(int(binary.LittleEndian.Uint16(mtu[:])), largestMTU)
	}
}

// ownMAC returns an address for a card that has none: one of those that nobody
// assigns, and the same each time.
func ownMAC(name string) net.HardwareAddr {
	sum := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(name) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	mac := binary.BigEndian.AppendUint64(nil, sum)[2:]
	mac[0] = mac[0]&^1 | 2
	return mac
}

// look reads whether the cable is in.
func (n *Net) look() {
	if n.plan.features&netStatus == 0 {
		return
	}
	var status [2]byte
	n.dev.Config(6, status[:])
	n.down.Store(status[0]&1 == 0)
}

// usable returns an error when the card cannot be used, or not now. It also notices
// when the cable has been pulled or put in.
func (n *Net) usable() error {
	switch changed, err := n.changed(); {
	case err != nil:
		return err
	case changed:
		n.look()
	}
	return nil
}

// errDown is what a TAP device that is down says too.
var errDown = fmt.Errorf("the cable is out: %w", syscall.EIO)

// MAC returns the card's address, or one made up for a card that has none.
func (n *Net) MAC() net.HardwareAddr { return n.mac }

// MTU returns what it was when the card was opened.
func (n *Net) MTU() int { return n.mtu }

// Offload reports whether the card cuts segments of both IPv4 and IPv6.
func (n *Net) Offload() bool { return n.plan.offload }

// Name says what and where the card is.
func (n *Net) Name() string { return n.dev.Name() }

// Close stops the card, and ends a Receive and every Send.
func (n *Net) Close() error { return n.end(n.closed) }
